-- Leases lanes that have a due message, and begins the next message of each.
--
-- `chosen` is read from a snapshot and may be stale. `locked` locks the lanes, skips locked ones, and checks
-- the conditions again on the newest rows. `ours` does the same with the messages. A lane whose message is
-- gone is left as it is.
--
-- Locks: lanes, then messages; both skip locked rows. Plan: the first message of each dealer in the index
-- `message_open`.

WITH RECURSIVE dealer AS (
\ir open_dealers.sql
), due AS (
    -- Lanes whose holder vanished while a message was SENDING.
    SELECT l.dealer_id, l.message_id, true AS lost, coalesce(l.lease_until, now()) AS since
    FROM lane l
    WHERE l.message_id IS NOT NULL AND l.ready_at <= now()
        AND (l.lease_until IS NULL OR l.lease_until <= now())
    UNION ALL
    SELECT d.dealer_id, head.id AS message_id, false AS lost, head.due_at AS since
    FROM dealer d
    -- OFFSET: the lane of each dealer is read by its key. As a join, all lanes were compared with all dealers.
    CROSS JOIN LATERAL (
        SELECT FROM lane l
        WHERE l.dealer_id = d.dealer_id AND l.message_id IS NULL AND l.ready_at <= now()
            AND (l.lease_until IS NULL OR l.lease_until <= now())
        OFFSET 0) free
    CROSS JOIN LATERAL (
        SELECT m.id, m.due_at FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = d.dealer_id
            AND m.state = 'QUEUED' AND m.next_try_at <= now()
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) head
    WHERE NOT EXISTS (
            -- A confirmation that has become due goes first.
            SELECT FROM opt_out_confirmation c
            WHERE c.dealer_id = d.dealer_id AND c.next_try_at <= now()
                AND c.next_try_at > now() - make_interval(secs => :turn_seconds))
), chosen AS (
    SELECT * FROM due ORDER BY since, dealer_id LIMIT :most
), locked AS (
    SELECT l.dealer_id, l.blocks > 0 AND NOT l.probed AS blocked, c.message_id, c.lost
    FROM chosen c
    JOIN lane l ON l.dealer_id = c.dealer_id
    WHERE (l.lease_until IS NULL OR l.lease_until <= now()) AND l.ready_at <= now()
        AND CASE WHEN c.lost THEN l.message_id = c.message_id ELSE l.message_id IS NULL END
    FOR UPDATE OF l SKIP LOCKED
), ours AS (
    -- Skips locked rows: a locked message delays only its own lane.
    SELECT m.id, k.dealer_id, k.lost
    FROM locked k
    JOIN message m ON m.id = k.message_id
    WHERE CASE WHEN k.lost THEN m.state = 'SENDING'
        ELSE NOT k.blocked AND m.state = 'QUEUED' AND m.next_try_at <= now() END
    FOR UPDATE OF m SKIP LOCKED
), begun AS (
    UPDATE message m SET state = 'SENDING'
    FROM ours o
    WHERE m.id = o.id
    RETURNING o.dealer_id, o.lost, m.id, m.request_id, m.target, m.body, m.unknowns, m.awaited,
        m.due_at, m.http_request_id, m.traceparent
), taken AS (
    SELECT * FROM begun
    UNION ALL
    SELECT k.dealer_id, k.lost, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM locked k
    WHERE k.blocked AND NOT k.lost
        -- The holder vanished, and evidence has decided its message since: free the lane.
        OR k.lost AND NOT EXISTS (
            SELECT FROM message m WHERE m.id = k.message_id AND m.state = 'SENDING')
)
UPDATE lane l SET
    epoch = l.epoch + 1,
    holder = :worker,
    lease_until = CASE WHEN t.lost AND t.id IS NULL THEN NULL
        ELSE now() + make_interval(secs => :lease_seconds) END,
    message_id = t.id
FROM taken t
WHERE l.dealer_id = t.dealer_id
RETURNING l.dealer_id::text, l.epoch, l.strikes, l.blocks, t.lost, t.id AS message_id,
    t.request_id, t.target::text, t.body, t.unknowns, t.awaited,
    l.probed AND l.suspect_id = t.id AS suspected,
    t.http_request_id, t.traceparent,
    extract(epoch FROM now() - greatest(t.due_at, coalesce(l.aging_from, l.rest_until)))::float8
        AS overdue_seconds,
    CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
        THEN l.calls ELSE 0 END AS calls_today,
    now() AS now
