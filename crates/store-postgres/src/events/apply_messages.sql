-- Applies the due reports about messages.
--
-- Skips locked rows: a busy message delays only its own reports, and two copies cannot deadlock. A report
-- whose message or request is locked stays due.
--
-- Locks: events, then messages, then requests; all skip locked rows. Plan: events in the order of their next
-- look; messages by dealer and the provider's ids.

WITH rank AS (
    SELECT * FROM unnest(
        :states::text[], :ranks::smallint[], :request_statuses::varchar[],
        :whatsapp_statuses::varchar[])
        AS t (state, rank, request_status, whatsapp_status)
), batch AS (
    SELECT e.id, e.dealer_id, e.provider_id, e.state_id, e.seen, e.reason, e.received_at
    FROM webhook_event e
    WHERE e.next_look_at <= now() AND e.about = 'message'
    ORDER BY e.next_look_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), by_id AS (
    SELECT b.*, m.id AS message_id
    FROM batch b
    LEFT JOIN LATERAL (
        SELECT m.id FROM message m
        WHERE m.dealer_id = b.dealer_id AND m.provider_id = b.provider_id
        ORDER BY m.id LIMIT 1) m ON true
), matched AS (
    SELECT b.id, b.dealer_id, b.state_id, b.seen, b.reason, b.received_at,
        coalesce(b.message_id, m.id, linked.message_id) AS message_id
    FROM by_id b
    LEFT JOIN LATERAL (
        SELECT m.id FROM message m
        WHERE b.message_id IS NULL
            AND m.dealer_id = b.dealer_id AND m.provider_state_id = b.state_id
        ORDER BY m.id LIMIT 1) m ON true
    -- An event of the same batch may tie the state's id to a message.
    LEFT JOIN LATERAL (
        SELECT o.message_id FROM by_id o
        WHERE b.message_id IS NULL AND m.id IS NULL AND o.message_id IS NOT NULL
            AND o.dealer_id = b.dealer_id AND o.state_id = b.state_id
        ORDER BY o.id LIMIT 1) linked ON true
), got AS (
    SELECT m.id, m.request_id, m.state, m.target = :erased AS erased, m.due_at, m.sent_at,
        m.delivered_at, m.read_at
    FROM message m
    WHERE m.id IN (SELECT message_id FROM matched)
    FOR UPDATE OF m SKIP LOCKED
), asked AS (
    SELECT r.id, r.dealer_id, r.request_date FROM customer_validation_request r
    WHERE r.id IN (SELECT request_id FROM got)
    FOR NO KEY UPDATE OF r SKIP LOCKED
), held AS (
    -- Another program may have deleted the request.
    SELECT g.id, g.state, g.erased
    FROM got g
    LEFT JOIN asked a ON a.id = g.request_id
    LEFT JOIN customer_validation_request r ON r.id = g.request_id
    WHERE a.id IS NOT NULL OR r.id IS NULL
), told AS (
    SELECT e.message_id,
        (array_agg(e.seen ORDER BY r.rank DESC NULLS LAST))[1] AS seen,
        (array_agg(e.reason ORDER BY e.id) FILTER (WHERE e.reason IS NOT NULL))[1] AS reason,
        (array_agg(e.state_id ORDER BY e.id) FILTER (WHERE e.state_id IS NOT NULL))[1] AS state_id,
        min(e.received_at) AS at,
        min(e.received_at) FILTER (WHERE e.seen IN ('DELIVERED', 'READ')) AS delivered_at,
        min(e.received_at) FILTER (WHERE e.seen = 'READ') AS read_at
    FROM matched e LEFT JOIN rank r ON r.state = e.seen
    GROUP BY e.message_id
), verdict AS (
    SELECT h.id, h.erased, t.*, new.rank > old.rank AS lifts,
        new.request_status, new.whatsapp_status
    FROM held h
    JOIN told t ON t.message_id = h.id
    JOIN rank old ON old.state = h.state
    LEFT JOIN rank new ON new.state = t.seen
), written AS (
    UPDATE message m SET
        state = CASE WHEN v.lifts THEN v.seen ELSE m.state END,
        provider_state_id = coalesce(m.provider_state_id, v.state_id),
        sent_at = CASE WHEN v.lifts THEN coalesce(m.sent_at, v.at) ELSE m.sent_at END,
        delivered_at = least(m.delivered_at, v.delivered_at),
        read_at = least(m.read_at, v.read_at),
        failed_at = CASE WHEN NOT v.lifts THEN m.failed_at WHEN v.seen = 'FAILED' THEN v.at END,
        reason = CASE WHEN NOT v.lifts THEN m.reason
            WHEN v.seen = 'FAILED' THEN v.reason END
    FROM (SELECT v.*, coalesce(v.lifts, false) AS moves FROM verdict v) v
    WHERE m.id = v.id AND (
        v.moves
        OR m.provider_state_id IS NULL AND v.state_id IS NOT NULL
        OR least(m.delivered_at, v.delivered_at) IS DISTINCT FROM m.delivered_at
        OR least(m.read_at, v.read_at) IS DISTINCT FROM m.read_at)
    RETURNING m.id, m.request_id, m.dealer_id, m.created_at, v.moves, v.state_id,
        v.request_status, v.whatsapp_status, m.due_at, m.sent_at, m.delivered_at, m.read_at
), timed AS (
    -- Under the lock of the request: what its message took now, instead of before.
    INSERT INTO message_seconds_change (dealer_id, request_date, measure, seconds, messages)
    SELECT a.dealer_id, a.request_date, t.measure, t.seconds, sum(t.messages)
    FROM written w
    JOIN got g ON g.id = w.id
    JOIN asked a ON a.id = w.request_id
    CROSS JOIN LATERAL (
        SELECT s.measure, s.seconds, 1 AS messages
        FROM seconds_of_message(w.due_at, w.sent_at, w.delivered_at, w.read_at) s
        UNION ALL
        SELECT s.measure, s.seconds, -1
        FROM seconds_of_message(g.due_at, g.sent_at, g.delivered_at, g.read_at) s) t
    GROUP BY 1, 2, 3, 4 HAVING sum(t.messages) <> 0
), changed AS (
    SELECT * FROM written WHERE moves
), mirrored AS (
    UPDATE customer_validation_request r SET
\ir ../requests/mirror.sql
), looked_at AS (
    UPDATE webhook_event e SET
        message_id = CASE WHEN h.id IS NOT NULL THEN h.id END,
        -- A report about a message whose recipient was erased comes too late to be kept.
        body = CASE WHEN h.erased THEN :erased ELSE e.body END,
        reason = CASE WHEN h.erased THEN NULL ELSE e.reason END,
        next_look_at = CASE
            WHEN h.id IS NOT NULL THEN NULL
            -- Its message, or that message's request, is locked.
            WHEN m.message_id IS NOT NULL THEN now() + INTERVAL '200 milliseconds'
            ELSE now() + least(
                INTERVAL '6 hours', greatest(INTERVAL '1 second', now() - m.received_at)) END
    FROM matched m LEFT JOIN held h ON h.id = m.message_id
    WHERE e.id = m.id
    RETURNING m.message_id
), awake AS (
    SELECT e.id FROM webhook_event e
    JOIN written w ON w.dealer_id = e.dealer_id AND w.state_id = e.state_id
    WHERE e.message_id IS NULL AND e.id NOT IN (SELECT id FROM batch)
    FOR UPDATE OF e SKIP LOCKED
), woken AS (
    UPDATE webhook_event e SET next_look_at = now() FROM awake a WHERE e.id = a.id
)
SELECT (SELECT count(*) FROM batch) AS taken,
    (SELECT count(*) FROM looked_at WHERE message_id IS NULL) AS unmatched,
    (SELECT count(*) FROM changed) AS lifted,
    0::bigint AS freed
