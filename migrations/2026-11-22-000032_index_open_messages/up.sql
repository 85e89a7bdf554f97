-- What is QUEUED or SENDING. Not by the state itself: PostgreSQL updates a row in place only when no
-- column that an index names changes, and between the two no message moves in an index.
-- CONCURRENTLY, because the table may be large and the service that still runs must be able to
-- write to it meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_open
    ON message (dealer_id, priority, due_at, id) WHERE sent_at IS NULL AND failed_at IS NULL;
