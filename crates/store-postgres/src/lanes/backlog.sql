-- Counts unfinished messages by state.
--
-- Locks: none. Plan: each state has an index of its own, so that finished messages cost nothing.

WITH state AS (
    SELECT 'QUEUED' AS state, count(*) AS messages,
        min(due_at) FILTER (WHERE due_at <= now()) AS since
    FROM message WHERE state = 'QUEUED' AND sent_at IS NULL AND failed_at IS NULL
    UNION ALL
    SELECT 'SENDING', count(*), min(m.due_at)
    FROM lane l JOIN message m ON m.id = l.message_id WHERE m.state = 'SENDING'
    UNION ALL
    SELECT 'UNKNOWN', count(*), min(due_at) FROM message
    WHERE state = 'UNKNOWN' AND unknowns > 0
)
SELECT state, messages, extract(epoch FROM now() - since)::float8 AS past_due_seconds
FROM state
