DROP TABLE opt_out_confirmation;
