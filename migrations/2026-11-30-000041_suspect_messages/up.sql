-- The message that met the block of its lane with nothing certain said about why: where it meets the same
-- after a probe that went well, the account is not the cause.
ALTER TABLE lane ADD COLUMN suspect_id UUID;
