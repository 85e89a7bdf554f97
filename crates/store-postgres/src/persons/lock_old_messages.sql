-- Locks the old messages of a batch. Each id has a row, without a message where it is not old. A message's
-- age counts from its latest event.
--
-- Locks: messages, skipping locked rows. Plan: a batch by ids.

WITH batch AS (
    SELECT m.id FROM message m
    WHERE m.id > :after ORDER BY m.id LIMIT :most
), theirs AS (
    SELECT m.* FROM message m JOIN batch b ON b.id = m.id
    WHERE (m.target <> '[dihapus]' OR m.variables IS NOT NULL) AND m.state NOT IN ('QUEUED', 'SENDING')
        AND greatest(m.created_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at)
            < now() - make_interval(days => :days)
    FOR UPDATE OF m SKIP LOCKED
)
SELECT b.id AS place,
\ir message_read.sql
FROM batch b
LEFT JOIN theirs m ON m.id = b.id
LEFT JOIN customer_validation_request r ON r.id = m.request_id
ORDER BY b.id
