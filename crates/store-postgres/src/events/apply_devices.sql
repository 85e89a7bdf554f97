-- Applies reports about devices: a connected device closes its lane's breaker.
--
-- Skips locked rows. The holder of a locked lane may be about to open its breaker, so the report is applied
-- again afterwards.
--
-- Locks: events, then lanes; both skip locked rows. Plan: events in the order of their next look; lanes by
-- dealer.

WITH batch AS (
    SELECT e.id, e.dealer_id, e.connected
    FROM webhook_event e
    WHERE e.next_look_at <= now() AND e.about = 'device'
    ORDER BY e.next_look_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), locked AS (
    SELECT l.dealer_id, l.blocks > 0 AS blocked
    FROM lane l
    WHERE l.dealer_id IN (SELECT dealer_id FROM batch WHERE connected)
    FOR UPDATE OF l SKIP LOCKED
), looked_at AS (
    UPDATE webhook_event e SET
        next_look_at = CASE WHEN b.connected AND k.dealer_id IS NULL AND l.dealer_id IS NOT NULL
            THEN now() + INTERVAL '200 milliseconds' END
    FROM batch b
    LEFT JOIN lane l ON l.dealer_id = b.dealer_id
    LEFT JOIN locked k ON k.dealer_id = b.dealer_id
    WHERE e.id = b.id
), closed AS (
    UPDATE lane l SET
\ir ../lanes/close_breaker.sql
    FROM locked k
    WHERE l.dealer_id = k.dealer_id AND k.blocked
    RETURNING l.dealer_id
)
SELECT (SELECT count(*) FROM batch) AS taken, 0::bigint AS unmatched, 0::bigint AS lifted,
    (SELECT count(*) FROM closed) AS freed
