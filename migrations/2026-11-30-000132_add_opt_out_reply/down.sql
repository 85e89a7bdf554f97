ALTER TABLE dealer_settings DROP COLUMN opt_out_reply;
