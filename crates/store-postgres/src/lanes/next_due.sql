-- Time until some lane has a due message. An estimate: only the first message of each lane counts.
--
-- Locks: none. Plan: the first message of each dealer in the index `message_open`.

WITH RECURSIVE dealer AS (
\ir open_dealers.sql
), next AS (
    SELECT greatest(l.lease_until, l.ready_at) AS at FROM lane l WHERE l.message_id IS NOT NULL
    UNION ALL
    SELECT greatest(l.ready_at, l.lease_until, head.next_try_at)
    FROM dealer d
    -- OFFSET: by its key, as in `claim.sql`.
    CROSS JOIN LATERAL (
        SELECT l.ready_at, l.lease_until FROM lane l
        WHERE l.dealer_id = d.dealer_id AND l.message_id IS NULL OFFSET 0) l
    CROSS JOIN LATERAL (
        SELECT m.next_try_at FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = d.dealer_id
            AND m.state = 'QUEUED'
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) head
)
SELECT extract(epoch FROM min(at) - now())::float8 AS seconds FROM next
