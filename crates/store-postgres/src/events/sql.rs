//! The statements about reports of the provider. Whoever holds an event's lock waits for nobody; and
//! nobody who holds a lane, a message or a request waits for an event.

use crate::lanes::breaker::closed_breaker;
use crate::requests::mirror::is_newest;

/// Applies events of messages whose time has come.
///
/// It waits for nobody, so that one who is busy holds up nobody else's events, and two copies cannot
/// wait for each other: a message that somebody else has locked, or whose request, leaves its events
/// for the next time.
pub(crate) const APPLY_NEWS: &str = concat!(
    "
, rank AS (
    SELECT * FROM unnest(
        (SELECT states FROM input), (SELECT ranks FROM input),
        (SELECT request_statuses FROM input), (SELECT whatsapp_statuses FROM input))
        AS t (state, rank, request_status, whatsapp_status)
), batch AS (
    SELECT e.id, e.dealer_id, e.provider_id, e.state_id, e.seen, e.reason, e.received_at
    FROM webhook_event e
    WHERE e.next_look_at <= now() AND e.about = 'message'
    ORDER BY e.next_look_at LIMIT (SELECT most FROM input)
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
    -- An event of this very batch may tell which message the state's id belongs to.
    LEFT JOIN LATERAL (
        SELECT o.message_id FROM by_id o
        WHERE b.message_id IS NULL AND m.id IS NULL AND o.message_id IS NOT NULL
            AND o.dealer_id = b.dealer_id AND o.state_id = b.state_id
        ORDER BY o.id LIMIT 1) linked ON true
), got AS (
    SELECT m.id, m.request_id, m.state, m.target = (SELECT erased FROM input) AS erased
    FROM message m
    WHERE m.id IN (SELECT message_id FROM matched)
    FOR UPDATE OF m SKIP LOCKED
), asked AS (
    SELECT r.id FROM customer_validation_request r
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
), changed AS (
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
        v.request_status, v.whatsapp_status
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = c.request_status,
        whatsapp_status = c.whatsapp_status,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM changed c, input i
    WHERE r.id = c.request_id AND c.moves AND ",
    is_newest!("c"),
    "
), looked_at AS (
    UPDATE webhook_event e SET
        message_id = CASE WHEN h.id IS NOT NULL THEN h.id END,
        -- A report about a message whose recipient was erased comes too late to be kept.
        body = CASE WHEN h.erased THEN (SELECT erased FROM input) ELSE e.body END,
        reason = CASE WHEN h.erased THEN NULL ELSE e.reason END,
        next_look_at = CASE
            WHEN h.id IS NOT NULL THEN NULL
            -- Its message, or the request of that, is busy.
            WHEN m.message_id IS NOT NULL THEN now() + INTERVAL '200 milliseconds'
            ELSE now() + least(
                INTERVAL '6 hours', greatest(INTERVAL '1 second', now() - m.received_at)) END
    FROM matched m LEFT JOIN held h ON h.id = m.message_id
    WHERE e.id = m.id
    RETURNING m.message_id
), awake AS (
    SELECT e.id FROM webhook_event e
    JOIN changed c ON c.dealer_id = e.dealer_id AND c.state_id = e.state_id
    WHERE e.message_id IS NULL AND e.id NOT IN (SELECT id FROM batch)
    FOR UPDATE OF e SKIP LOCKED
), woken AS (
    UPDATE webhook_event e SET next_look_at = now() FROM awake a WHERE e.id = a.id
)
SELECT (SELECT count(*) FROM batch) AS taken,
    (SELECT count(*) FROM looked_at WHERE message_id IS NULL) AS unmatched,
    (SELECT count(*) FROM changed WHERE moves) AS lifted,
    0::bigint AS freed"
);

/// Applies events of devices: one that is connected closes its breaker.
///
/// It waits for nobody, like [`APPLY_NEWS`]. Whoever has the lane may be about to open its breaker,
/// so that the event is looked at again afterwards.
pub(crate) const APPLY_DEVICES: &str = concat!(
    "
, batch AS (
    SELECT e.id, e.dealer_id, e.connected
    FROM webhook_event e
    WHERE e.next_look_at <= now() AND e.about = 'device'
    ORDER BY e.next_look_at LIMIT (SELECT most FROM input)
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
        ",
    closed_breaker!(),
    "
    FROM locked k
    WHERE l.dealer_id = k.dealer_id AND k.blocked
    RETURNING l.dealer_id
)
SELECT (SELECT count(*) FROM batch) AS taken, 0::bigint AS unmatched, 0::bigint AS lifted,
    (SELECT count(*) FROM closed) AS freed"
);

/// Looks whether an event that matches nothing tells the outcome that a lane waits for. It may as well
/// be about another call of the lane that is not accounted for, so that there must be none.
///
/// It waits for nobody, like [`APPLY_NEWS`].
pub(crate) const TAKE_EVIDENCE: &str = concat!(
    "
, waiting AS (
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
    SELECT m.id, m.request_id, m.dealer_id, m.created_at, k.last_provider_id
    FROM locked k JOIN message m ON m.id = k.message_id
    WHERE m.state = 'SENDING' AND m.awaited
    FOR UPDATE OF m SKIP LOCKED
), asked AS (
    SELECT r.id FROM customer_validation_request r
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
            -- Not yet matched, perhaps because its message is busy, is not unknown.
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
    RETURNING m.id, m.request_id, m.created_at
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = i.request_status,
        whatsapp_status = i.whatsapp_status,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM changed c, input i
    WHERE r.id = c.request_id AND ",
    is_newest!("c"),
    "
), freed AS (
    UPDATE lane l SET
        message_id = NULL,
        last_provider_id = greatest(l.last_provider_id, t.number),
        ready_at = least(l.ready_at, now() + greatest(
            make_interval(secs => i.pause_seconds),
            make_interval(secs => s.min_interval_ms / 1000.0)))
    FROM told t LEFT JOIN dealer_settings s ON s.dealer_id = t.dealer_id, input i
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
    (SELECT count(*) FROM freed) AS freed"
);

pub(crate) const NEXT_EVENT: &str = "
SELECT extract(epoch FROM min(e.next_look_at) - now())::float8 AS seconds
FROM webhook_event e, input WHERE e.next_look_at IS NOT NULL";

pub(crate) const KEEP: &str = "
INSERT INTO webhook_event (
    dealer_id, body, about, connected, provider_id, state_id, seen, reason, next_look_at)
SELECT dealer_id, body, about, connected, provider_id, state_id, seen, reason,
    CASE WHEN about <> 'nothing' THEN now() END
FROM input";

pub(crate) const FORGET_OLD: &str = "
, old AS (
    SELECT e.id FROM webhook_event e
    WHERE e.received_at <= (SELECT now() - make_interval(secs => lifetime_seconds) FROM input)
    LIMIT (SELECT most FROM input)
    FOR UPDATE OF e SKIP LOCKED
)
DELETE FROM webhook_event e USING old o WHERE e.id = o.id";

pub(crate) const OWNER: &str = "
SELECT w.dealer_id::text FROM dealer_webhook w, input i WHERE w.token_print = i.token_print";
