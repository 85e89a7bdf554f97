-- The indexes that the two before replace. A lane begins and ends with every message: it is found by
-- its key, and those whose holder vanished by a look at all of them, which are as many as dealers.
DROP INDEX message_queued;
DROP INDEX message_unknown;
DROP INDEX lane_sending;

-- What the index of open messages leaves out must never be waiting. NOT VALID: rows from before are
-- not read.
ALTER TABLE message ADD CONSTRAINT message_open_check CHECK (
    state NOT IN ('QUEUED', 'SENDING') OR sent_at IS NULL AND failed_at IS NULL) NOT VALID;

-- Room on each page for the new version of a row.
ALTER TABLE message SET (fillfactor = 85);
ALTER TABLE customer_validation_request SET (fillfactor = 85);
