-- The indexes that the two before replace. A lane begins and ends with every message: it is found by
-- its key, and those whose holder vanished by a look at all of them, which are as many as dealers.
-- Where there are messages the previous release may still be claiming them, by the first of these
-- indexes: there they go with the next release.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM message) THEN
        DROP INDEX message_queued, message_unknown, lane_sending;
    END IF;
END
$$;

-- What the index of open messages leaves out must never be waiting. NOT VALID: rows from before are
-- not read.
ALTER TABLE message ADD CONSTRAINT message_open_check CHECK (
    state NOT IN ('QUEUED', 'SENDING') OR sent_at IS NULL AND failed_at IS NULL) NOT VALID;

-- Room on each page for the new version of a row.
ALTER TABLE message SET (fillfactor = 85);
ALTER TABLE customer_validation_request SET (fillfactor = 85);
