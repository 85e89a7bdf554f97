-- Whose state the request shows. It only ever moves to a newer message, under the row's lock, so that
-- a statement whose snapshot is older than a resend cannot take an older message for the newest.
-- NULL in rows from before, until they are resent: there the newest is looked for.
ALTER TABLE customer_validation_request ADD COLUMN newest_message_id UUID;
