-- The release before removes a confirmation before its call: what is in a call must not be called again.
DELETE FROM opt_out_confirmation WHERE call_epoch IS NOT NULL;
ALTER TABLE opt_out_confirmation DROP COLUMN call_epoch;
