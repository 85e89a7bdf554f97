//! The outbox's statements. All times are the database's, so that copies of the service whose
//! clocks differ agree; locks are taken in the order lane, message, request.

use crate::ports::breaker::closed_breaker;
use crate::ports::mirror::is_newest;

/// The dealers with queued messages, found by jumping through the index from dealer to dealer,
/// and of each the message that is next in its lane.
macro_rules! heads {
    () => {
        "
, dealer AS (
    (SELECT dealer_id FROM message WHERE state = 'QUEUED' ORDER BY dealer_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT m.dealer_id FROM message m
        WHERE m.state = 'QUEUED' AND m.dealer_id > d.dealer_id
        ORDER BY m.dealer_id LIMIT 1)
    FROM dealer d WHERE d.dealer_id IS NOT NULL
)"
    };
}

/// Leases lanes and begins their messages.
///
/// `due` is read from a snapshot and may be out of date; `locked` takes the lanes, skipping those
/// that another copy has just locked, and asks again on their newest rows; `begun` does the same
/// with the messages. What remains is ours alone. A lane whose message is gone meanwhile is left
/// as it is.
pub(super) const CLAIM: &str = concat!(
    heads!(),
    "
, due AS (
    -- Lanes whose holder vanished while a message was SENDING.
    SELECT l.dealer_id, l.message_id, true AS lost, coalesce(l.lease_until, now()) AS since
    FROM lane l
    WHERE l.message_id IS NOT NULL AND l.ready_at <= now()
        AND (l.lease_until IS NULL OR l.lease_until <= now())
    UNION ALL
    SELECT l.dealer_id, head.id, false, head.due_at
    FROM dealer d
    JOIN lane l ON l.dealer_id = d.dealer_id
    CROSS JOIN LATERAL (
        SELECT m.id, m.due_at FROM message m
        WHERE m.dealer_id = d.dealer_id AND m.state = 'QUEUED' AND m.next_try_at <= now()
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) head
    WHERE l.message_id IS NULL AND l.ready_at <= now()
        AND (l.lease_until IS NULL OR l.lease_until <= now())
), chosen AS (
    SELECT * FROM due ORDER BY since, dealer_id LIMIT (SELECT most FROM input)
), locked AS (
    SELECT l.dealer_id, l.blocks > 0 AND NOT l.probed AS blocked, c.message_id, c.lost
    FROM chosen c
    JOIN lane l ON l.dealer_id = c.dealer_id
    WHERE (l.lease_until IS NULL OR l.lease_until <= now()) AND l.ready_at <= now()
        AND CASE WHEN c.lost THEN l.message_id = c.message_id ELSE l.message_id IS NULL END
    FOR UPDATE OF l SKIP LOCKED
), ours AS (
    -- A message that somebody else has locked holds up its own lane alone.
    SELECT m.id
    FROM locked k
    JOIN message m ON m.id = k.message_id
    WHERE CASE WHEN k.lost THEN m.state = 'SENDING'
        ELSE NOT k.blocked AND m.state = 'QUEUED' AND m.next_try_at <= now() END
    FOR UPDATE OF m SKIP LOCKED
), begun AS (
    UPDATE message m SET state = 'SENDING'
    FROM ours o
    WHERE m.id = o.id
    RETURNING m.id, m.request_id, m.target, m.body, m.unknowns, m.awaited, m.due_at,
        m.http_request_id, m.traceparent
)
UPDATE lane l SET
    epoch = l.epoch + 1,
    holder = i.worker,
    lease_until = CASE WHEN k.lost AND b.id IS NULL THEN NULL
        ELSE now() + make_interval(secs => i.lease_seconds) END,
    message_id = b.id
FROM locked k LEFT JOIN begun b ON b.id = k.message_id, input i
WHERE l.dealer_id = k.dealer_id AND (
    b.id IS NOT NULL
    OR k.blocked AND NOT k.lost
    -- The holder vanished, and evidence has decided about its message since: free the lane.
    OR k.lost AND NOT EXISTS (
        SELECT FROM message m WHERE m.id = k.message_id AND m.state = 'SENDING'))
RETURNING l.dealer_id::text, l.epoch, l.strikes, l.blocks, k.lost, b.id AS message_id,
    b.request_id, b.target::text, b.body, b.unknowns, b.awaited,
    b.http_request_id, b.traceparent,
    extract(epoch FROM now() - greatest(b.due_at, l.rest_until))::float8 AS overdue_seconds,
    CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
        THEN l.calls ELSE 0 END AS calls_today,
    now() AS now"
);

/// Leases one lane for a call that is not a message. A retry wait or a breaker does not matter,
/// the ordinary pace does, and so does a wait for evidence, which a call would hide. A message whose
/// holder vanished stays there to be recovered.
pub(super) const LEASE_LANE: &str = "
UPDATE lane l SET
    epoch = l.epoch + 1,
    holder = i.worker,
    lease_until = now() + make_interval(secs => i.lease_seconds)
FROM input i
WHERE l.dealer_id = i.dealer_id
    AND (l.lease_until IS NULL OR l.lease_until <= now())
    AND (l.ready_at <= now() OR l.message_id IS NULL AND (l.strikes > 0 OR l.blocks > 0))
RETURNING l.epoch, l.strikes, l.blocks";

/// Settles a claim.
///
/// The lane changes only for the lease that holds it, so that a settlement takes place once. The
/// message changes with it while it is SENDING. Without the lease an acceptance still lifts it,
/// as evidence. The attempt is kept in either case, once for each epoch; the request mirrors its
/// newest message. A message whose recipient was erased meanwhile is not tried again, and nothing of
/// what the provider says about it is kept.
pub(super) const SETTLE: &str = "
, held AS (
    UPDATE lane l SET
        holder = NULL,
        lease_until = NULL,
        -- A message that waits for evidence stays, to be recovered when the lane is ready.
        message_id = CASE WHEN i.message_id IS NULL OR i.state = 'SENDING' THEN l.message_id END,
        -- What a call did not teach cannot shorten a pause.
        ready_at = greatest(
            now() + make_interval(secs => i.pause_seconds),
            -- Settings that were changed just now may not be known to the copy that begins this
            -- rest.
            CASE WHEN i.rest_until IS NULL THEN NULL
            WHEN l.rest_ended_at > now() - make_interval(secs => i.doubt_seconds)
                THEN least(i.rest_until, now() + make_interval(secs => i.look_seconds))
            ELSE i.rest_until END,
            CASE WHEN i.lane IN ('unchanged', 'waiting') THEN l.ready_at END),
        last_provider_id = greatest(l.last_provider_id, i.accepted_number),
        rest_until = coalesce(CASE WHEN i.rest_until IS NULL THEN NULL
            WHEN l.rest_ended_at > now() - make_interval(secs => i.doubt_seconds)
                THEN least(i.rest_until, now() + make_interval(secs => i.look_seconds))
            ELSE i.rest_until END,
            l.rest_until),
        calls = CASE WHEN NOT i.called THEN l.calls
            WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date THEN l.calls + 1
            ELSE 1 END,
        calls_on = CASE WHEN i.called
            THEN (now() AT TIME ZONE INTERVAL '+07:00')::date ELSE l.calls_on END,
        strikes = CASE i.lane
            WHEN 'ready' THEN 0 WHEN 'waiting' THEN l.strikes + 1 ELSE l.strikes END,
        probed = CASE i.lane
            WHEN 'probed' THEN true WHEN 'ready' THEN false WHEN 'blocked' THEN false
            ELSE l.probed END,
        blocks = CASE i.lane
            WHEN 'ready' THEN 0 WHEN 'blocked' THEN l.blocks + 1 ELSE l.blocks END,
        blocked_since = CASE i.lane
            WHEN 'ready' THEN NULL WHEN 'blocked' THEN coalesce(l.blocked_since, now())
            ELSE l.blocked_since END,
        block_reason = CASE i.lane
            WHEN 'ready' THEN NULL WHEN 'blocked' THEN i.block_reason ELSE l.block_reason END,
        account_print = CASE i.lane
            WHEN 'ready' THEN NULL WHEN 'blocked' THEN i.account_print ELSE l.account_print END
    FROM input i
    WHERE l.dealer_id = i.dealer_id AND l.epoch = i.epoch AND l.lease_until IS NOT NULL
    RETURNING l.dealer_id
), verdict AS (
    SELECT m.id, m.state AS before,
        CASE WHEN EXISTS (SELECT FROM held) THEN m.state = 'SENDING'
            ELSE i.state = 'SENT'
                AND m.state IN ('QUEUED', 'SENDING', 'UNKNOWN', 'CANCELLED', 'EXPIRED')
        END AS changes,
        m.target = i.erased AS erased,
        m.target = i.erased AND i.state = 'QUEUED' AS cancelled,
        m.unknowns + i.unknowns > 0 AS undecided
    FROM message m, input i
    WHERE m.id = i.message_id
        AND NOT m.attempts @> jsonb_build_array(jsonb_build_object('epoch', i.epoch))
    FOR UPDATE OF m
), changed AS (
    UPDATE message m SET
        state = CASE WHEN NOT v.changes THEN m.state
            WHEN v.cancelled THEN 'CANCELLED' ELSE i.state END,
        next_try_at = CASE WHEN v.changes AND i.state = 'QUEUED'
            THEN now() + make_interval(secs => i.wait_seconds) ELSE m.next_try_at END,
        sent_at = CASE WHEN v.changes AND i.state = 'SENT'
            THEN coalesce(m.sent_at, now()) ELSE m.sent_at END,
        failed_at = CASE WHEN NOT v.changes THEN m.failed_at
            WHEN v.cancelled OR i.state IN ('FAILED', 'UNKNOWN', 'EXPIRED') THEN now()
            WHEN i.state = 'SENT' THEN NULL ELSE m.failed_at END,
        reason = CASE WHEN NOT v.changes THEN m.reason
            WHEN v.cancelled AND v.undecided THEN i.undecided_reason
            WHEN v.cancelled THEN i.cancelled_reason
            WHEN v.erased THEN regexp_replace(i.reason, '[0-9]([ ().-]{0,2}[0-9]){7,}', i.erased, 'g')
            ELSE i.reason END,
        awaited = m.awaited OR (v.changes AND i.state = 'SENDING'),
        unknowns = CASE WHEN v.changes THEN m.unknowns + i.unknowns ELSE m.unknowns END,
        provider_id = CASE WHEN v.changes
            THEN coalesce(i.provider_id, m.provider_id) ELSE m.provider_id END,
        provider_request_id = CASE WHEN v.changes
            THEN coalesce(i.provider_request_id, m.provider_request_id)
            ELSE m.provider_request_id END,
        attempts = CASE WHEN i.attempt IS NULL THEN m.attempts
            -- Of more than 50 the first five and the last are kept.
            ELSE CASE WHEN jsonb_array_length(m.attempts) >= 50 THEN m.attempts - 5
                ELSE m.attempts END || (jsonb_build_object('at', now()) || i.attempt
                    || CASE WHEN v.erased THEN jsonb_build_object('detail', i.erased)
                        ELSE '{}' END) END
    FROM verdict v, input i
    WHERE m.id = v.id
    RETURNING m.id, m.request_id, m.created_at, v.before, v.changes, v.erased, v.cancelled
), asked AS (
    -- A message that had ended may be followed by one that is queued at this very moment: that one
    -- is not in our snapshot, but the newest row of its request tells of it.
    SELECT r.id,
        (r.request_status, r.whatsapp_status) IS NOT DISTINCT FROM ('PENDING', 'NOT_SENT') AS waits
    FROM changed c JOIN customer_validation_request r ON r.id = c.request_id
    WHERE c.changes AND c.before NOT IN ('QUEUED', 'SENDING')
    FOR UPDATE OF r
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = CASE WHEN c.cancelled
            THEN i.cancelled_request_status ELSE i.request_status END,
        whatsapp_status = CASE WHEN c.cancelled
            THEN i.cancelled_whatsapp_status ELSE i.whatsapp_status END,
        fonnte_response = CASE WHEN c.erased OR r.no_telp = i.erased
            THEN NULL ELSE coalesce(i.answer, r.fonnte_response) END,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM changed c LEFT JOIN asked a ON a.id = c.request_id, input i
    WHERE r.id = c.request_id AND c.changes
        AND NOT EXISTS (
            SELECT FROM message n
            WHERE n.request_id = c.request_id AND (n.created_at, n.id) > (c.created_at, c.id))
        AND (c.before IN ('QUEUED', 'SENDING') OR NOT a.waits)
), awake AS (
    -- Events that came before this was known: those of what was accepted, and those that may tell
    -- an outcome which is waited for. Nobody waits for an event: one that is being looked at is
    -- looked at again soon.
    SELECT e.id FROM webhook_event e, input i
    WHERE e.dealer_id = i.dealer_id AND e.message_id IS NULL AND e.provider_id IS NOT NULL
        AND (e.provider_id = i.accepted_id OR i.state = 'SENDING')
    FOR UPDATE OF e SKIP LOCKED
), woken AS (
    UPDATE webhook_event e SET next_look_at = now() FROM awake a WHERE e.id = a.id
)
SELECT EXISTS (SELECT FROM held) AS applied";

/// How long until some lane has something to do. An estimate: it looks only at the first message
/// of each lane.
pub(super) const NEXT_DUE: &str = concat!(
    heads!(),
    "
, next AS (
    SELECT greatest(l.lease_until, l.ready_at) AS at FROM lane l WHERE l.message_id IS NOT NULL
    UNION ALL
    SELECT greatest(l.ready_at, l.lease_until, head.next_try_at)
    FROM dealer d
    JOIN lane l ON l.dealer_id = d.dealer_id
    CROSS JOIN LATERAL (
        SELECT m.next_try_at FROM message m
        WHERE m.dealer_id = d.dealer_id AND m.state = 'QUEUED'
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) head
    WHERE l.message_id IS NULL
)
SELECT extract(epoch FROM min(at) - now())::float8 AS seconds FROM next, input"
);

/// Ends queued messages that became too old; those that may have been sent once are unknown.
pub(super) const EXPIRE: &str = concat!(
    "
, old AS (
    SELECT m.id FROM input i, message m JOIN lane l ON l.dealer_id = m.dealer_id
    WHERE m.state = 'QUEUED'
        AND greatest(m.due_at, l.rest_until) < now() - make_interval(secs => i.ttl_seconds)
    LIMIT (SELECT most FROM input)
    FOR UPDATE OF m SKIP LOCKED
), ended AS (
    UPDATE message m SET
        state = CASE WHEN m.unknowns = 0 THEN 'EXPIRED' ELSE 'UNKNOWN' END,
        reason = CASE WHEN m.unknowns = 0 THEN i.reason ELSE i.undecided_reason END,
        failed_at = now()
    FROM old o, input i
    WHERE m.id = o.id
    RETURNING m.id, m.request_id, m.created_at, m.unknowns
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = CASE WHEN e.unknowns = 0
            THEN i.request_status ELSE i.undecided_request_status END,
        whatsapp_status = CASE WHEN e.unknowns = 0
            THEN i.whatsapp_status ELSE i.undecided_whatsapp_status END,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM ended e, input i
    WHERE r.id = e.request_id AND ",
    is_newest!("e"),
    "
)
SELECT count(*) AS rows FROM ended"
);

/// Ends the rest of a lane, and notes when: also for a lane that does not rest, or is not there.
pub(super) const END_REST: &str = "
INSERT INTO lane AS l (dealer_id, rest_ended_at) SELECT i.dealer_id, now() FROM input i
ON CONFLICT (dealer_id) DO UPDATE SET
    rest_ended_at = now(),
    ready_at = CASE WHEN l.rest_until > now() THEN now() ELSE l.ready_at END,
    rest_until = CASE WHEN l.rest_until > now() THEN now() ELSE l.rest_until END";

pub(super) const UNBLOCK: &str = concat!(
    "
UPDATE lane l SET ",
    closed_breaker!(),
    "
FROM input i
WHERE l.dealer_id = i.dealer_id AND l.blocks > 0"
);
