DROP TABLE opt_out;
DROP TABLE opt_out_key;
