-- Leases endpoints that have a delivery due, each for the one that was asked for by hand, else for the one that has
-- been due for longest. Those whose last attempt failed have room of their own.
--
-- `chosen` is read from a snapshot and may be stale. `locked` locks, skips locked rows, and checks the conditions
-- again on the newest rows.
--
-- Locks: endpoints and deliveries, skipping locked rows. Plan: one step in the index of what is due for each endpoint
-- that waits, whatever waits for it.

WITH RECURSIVE
\ir waiting.sql
, ready AS (
    SELECT e.id, e.failures > 0 AS is_failing, head.place, head.since
    FROM waiting w
    JOIN endpoint e ON e.id = w.endpoint_id
    CROSS JOIN LATERAL (
        SELECT h.place, h.since FROM (
            (SELECT 0 AS n, d.place, d.asked_at AS since FROM event_delivery d
            WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.asked_at IS NOT NULL
            ORDER BY d.asked_at LIMIT 1)
            UNION ALL
            (SELECT 1, d.place, d.due_at FROM event_delivery d
            WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.due_at <= now()
                AND e.disabled_at IS NULL
            ORDER BY d.due_at LIMIT 1)
        ) h ORDER BY h.n LIMIT 1
    ) head
    WHERE e.removed_at IS NULL AND (e.lease_until IS NULL OR e.lease_until <= now())
), chosen AS (
    (SELECT * FROM ready WHERE NOT is_failing ORDER BY since, id LIMIT :healthy::bigint)
    UNION ALL
    (SELECT * FROM ready WHERE is_failing ORDER BY since, id LIMIT :failing::bigint)
), locked AS (
    SELECT e.id, d.place
    FROM chosen c
    JOIN endpoint e ON e.id = c.id
    JOIN event_delivery d ON d.place = c.place
    WHERE e.removed_at IS NULL AND (e.lease_until IS NULL OR e.lease_until <= now())
        AND d.state = 'pending'
        AND (d.asked_at IS NOT NULL OR d.due_at <= now() AND e.disabled_at IS NULL)
    FOR UPDATE OF e, d SKIP LOCKED
), leased AS (
    UPDATE endpoint e SET
        epoch = e.epoch + 1,
        leased_at = clock_timestamp(),
        lease_until = now() + make_interval(secs => :lease_seconds)
    FROM locked k
    WHERE e.id = k.id
    RETURNING e.id, e.epoch, e.url, e.secret, e.failures > 0 AS is_failing, k.place,
        extract(epoch FROM now() - e.alive_at)::float8 AS silent_seconds
)
SELECT l.id AS endpoint_id, l.epoch, l.url, l.secret, l.is_failing, l.silent_seconds,
    d.id AS delivery_id, d.failed, v.id AS event_id, v.kind, v.created_at, CASE
        -- Some kinds have a reason behind the other keys.
        WHEN v.kind LIKE 'message.%' OR v.kind = 'account.blocked' THEN
            rtrim(v.data::text, '}') || ',"reason":' || coalesce(to_json(v.reason)::text, 'null') || '}'
        ELSE v.data::text END AS data
FROM leased l
JOIN event_delivery d ON d.place = l.place
JOIN event v ON v.place = d.event_place
