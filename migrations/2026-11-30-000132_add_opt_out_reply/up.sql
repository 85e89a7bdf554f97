-- Whether whoever opts out or in by a reply gets a confirmation; NULL means yes.
ALTER TABLE dealer_settings ADD COLUMN opt_out_reply BOOLEAN;
