DROP TABLE opt_out_former_key;
