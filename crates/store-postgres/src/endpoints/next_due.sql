-- When an endpoint can be taken next. Past moments are now.
--
-- Locks: none. Plan: as for `take.sql`.

WITH RECURSIVE
\ir waiting.sql
SELECT extract(epoch FROM min(greatest(head.due_at, e.lease_until)) - now())::float8 AS seconds
FROM waiting w
JOIN endpoint e ON e.id = w.endpoint_id
CROSS JOIN LATERAL (
    (SELECT d.asked_at AS due_at FROM event_delivery d
    WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.asked_at IS NOT NULL
    ORDER BY d.asked_at LIMIT 1)
    UNION ALL
    (SELECT d.due_at FROM event_delivery d
    WHERE d.endpoint_id = e.id AND d.state = 'pending' AND e.disabled_at IS NULL
    ORDER BY d.due_at LIMIT 1)
) head
WHERE e.removed_at IS NULL
