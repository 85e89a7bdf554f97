-- Settles an unknown outcome by a report that matches no other message. The report may also be about an
-- unaccounted call of the lane, so there must be none.
--
-- Locks: lanes, messages, requests, then events; all skip locked rows. Plan: lanes, then their messages by id
-- and the reports of the dealer that match none.

WITH waiting AS (
    SELECT l.dealer_id
    FROM lane l JOIN message m ON m.id = l.message_id
    WHERE l.lease_until IS NULL AND l.unaccounted = 0 AND m.state = 'SENDING' AND m.awaited
        AND EXISTS (
            SELECT FROM webhook_event e
            WHERE e.dealer_id = l.dealer_id AND e.message_id IS NULL
                AND e.provider_id IS NOT NULL AND e.received_at >= m.created_at)
), locked AS (
    SELECT l.dealer_id, l.message_id, l.last_provider_id
    FROM lane l JOIN waiting w ON w.dealer_id = l.dealer_id
    WHERE l.lease_until IS NULL AND l.unaccounted = 0 AND l.message_id IS NOT NULL
    FOR UPDATE OF l SKIP LOCKED
), ours AS (
    SELECT m.id, m.request_id, m.dealer_id, m.created_at, m.sent_at, k.last_provider_id
    FROM locked k JOIN message m ON m.id = k.message_id
    WHERE m.state = 'SENDING' AND m.awaited
    FOR UPDATE OF m SKIP LOCKED
), asked AS (
    SELECT r.id, r.dealer_id, r.request_date FROM customer_validation_request r
    WHERE r.id IN (SELECT request_id FROM ours)
    FOR NO KEY UPDATE OF r SKIP LOCKED
), held AS (
    SELECT o.*
    FROM ours o
    LEFT JOIN asked a ON a.id = o.request_id
    LEFT JOIN customer_validation_request r ON r.id = o.request_id
    WHERE a.id IS NOT NULL OR r.id IS NULL
), told AS (
    SELECT o.id, o.dealer_id, n.provider_id, n.number, n.received_at
    FROM held o
    CROSS JOIN LATERAL (
        SELECT e.provider_id, e.received_at, e.provider_id::bigint AS number
        FROM webhook_event e
        WHERE e.dealer_id = o.dealer_id AND e.message_id IS NULL
            AND e.received_at >= o.created_at
            -- A report that is not matched yet, because its message is locked, does not count.
            AND NOT EXISTS (
                SELECT FROM message x
                WHERE x.dealer_id = e.dealer_id AND x.provider_id = e.provider_id)
            AND NOT EXISTS (
                SELECT FROM message x
                WHERE x.dealer_id = e.dealer_id AND x.provider_state_id = e.state_id)
            AND CASE WHEN e.provider_id ~ '^[0-9]{1,18}$'
                THEN e.provider_id::bigint > coalesce(o.last_provider_id, -1) ELSE false END
        ORDER BY e.provider_id::bigint, e.received_at LIMIT 1) n
), changed AS (
    UPDATE message m SET
        state = 'SENT', provider_id = t.provider_id, sent_at = coalesce(m.sent_at, t.received_at),
        failed_at = NULL, reason = NULL
    FROM told t
    WHERE m.id = t.id
    RETURNING m.id, m.request_id, m.created_at, :request_status::varchar AS request_status,
        :whatsapp_status::varchar AS whatsapp_status, m.due_at, m.sent_at
), timed AS (
    INSERT INTO message_seconds_change (dealer_id, request_date, measure, seconds, messages)
    SELECT a.dealer_id, a.request_date, 'send', whole_seconds(c.sent_at - c.due_at), 1
    FROM changed c
    JOIN ours o ON o.id = c.id
    JOIN asked a ON a.id = c.request_id
    WHERE o.sent_at IS NULL
), mirrored AS (
    UPDATE customer_validation_request r SET
\ir ../requests/mirror.sql
), freed AS (
    UPDATE lane l SET
        message_id = NULL,
        last_provider_id = greatest(l.last_provider_id, t.number),
        ready_at = least(l.ready_at, now() + greatest(
            make_interval(secs => :pause_seconds),
            make_interval(secs => s.min_interval_ms / 1000.0)))
    FROM told t LEFT JOIN dealer_settings s ON s.dealer_id = t.dealer_id
    WHERE l.dealer_id = t.dealer_id
    RETURNING l.dealer_id
), awake AS (
    SELECT e.id FROM webhook_event e
    JOIN told t ON t.dealer_id = e.dealer_id AND t.provider_id = e.provider_id
    WHERE e.message_id IS NULL
    FOR UPDATE OF e SKIP LOCKED
), woken AS (
    UPDATE webhook_event e SET next_look_at = now() FROM awake a WHERE e.id = a.id
)
SELECT 0::bigint AS taken, 0::bigint AS unmatched, 0::bigint AS lifted,
    (SELECT count(*) FROM freed) AS freed
