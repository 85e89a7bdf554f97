//! The outbox's statements. All times are the database's, so that copies of the service whose
//! clocks differ agree; locks are taken in the order lane, message, request.

use crate::lanes::breaker::closed_breaker;
use crate::requests::mirror::is_newest;

/// What is QUEUED or SENDING, in the words of the index `message_open`.
macro_rules! open {
    () => {
        "m.sent_at IS NULL AND m.failed_at IS NULL"
    };
}

/// Since when messages of a lane `l` age at the earliest. Where it is not set, the release before has
/// moved that moment with every rest.
macro_rules! aging_from {
    () => {
        "coalesce(l.aging_from, l.rest_until)"
    };
}

/// Until when a lane `l` rests after a settlement `s`. Settings that were changed just now may not be
/// known to the copy that begins this rest.
macro_rules! rest_until {
    () => {
        "CASE WHEN s.rest_until IS NULL THEN NULL
            WHEN l.rest_ended_at > now() - make_interval(secs => i.doubt_seconds)
                THEN least(s.rest_until, now() + make_interval(secs => i.look_seconds))
            ELSE s.rest_until END"
    };
}

/// The dealers with open messages, found by jumping through the index from dealer to dealer.
macro_rules! heads {
    () => {
        concat!(
            "
, dealer AS (
    (SELECT m.dealer_id FROM message m WHERE ",
            open!(),
            " ORDER BY m.dealer_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT m.dealer_id FROM message m
        WHERE ",
            open!(),
            " AND m.dealer_id > d.dealer_id
        ORDER BY m.dealer_id LIMIT 1)
    FROM dealer d WHERE d.dealer_id IS NOT NULL
)"
        )
    };
}

/// Leases lanes with something to do and begins of each the message that is next.
///
/// `chosen` is read from a snapshot and may be out of date; `locked` takes the lanes, skipping those
/// that another copy has just locked, and asks again on their newest rows; `ours` does the same
/// with the messages. What remains is ours alone. A lane whose message is gone meanwhile is left
/// as it is.
pub(crate) const CLAIM: &str = concat!(
    heads!(),
    "
, due AS (
    -- Lanes whose holder vanished while a message was SENDING.
    SELECT l.dealer_id, l.message_id, true AS lost, coalesce(l.lease_until, now()) AS since
    FROM lane l
    WHERE l.message_id IS NOT NULL AND l.ready_at <= now()
        AND (l.lease_until IS NULL OR l.lease_until <= now())
    UNION ALL
    SELECT l.dealer_id, head.id AS message_id, false AS lost, head.due_at AS since
    FROM dealer d
    JOIN lane l ON l.dealer_id = d.dealer_id
    CROSS JOIN LATERAL (
        SELECT m.id, m.due_at FROM message m
        WHERE ",
    open!(),
    " AND m.dealer_id = d.dealer_id AND m.state = 'QUEUED' AND m.next_try_at <= now()
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
), fixed AS MATERIALIZED (
    -- Without the names of lanes: whoever updates keeps whole rows of all sides.
    SELECT worker, lease_seconds FROM input
), taken AS (
    SELECT * FROM begun
    UNION ALL
    SELECT k.dealer_id, k.lost, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM locked k
    WHERE k.blocked AND NOT k.lost
        -- The holder vanished, and evidence has decided about its message since: free the lane.
        OR k.lost AND NOT EXISTS (
            SELECT FROM message m WHERE m.id = k.message_id AND m.state = 'SENDING')
)
UPDATE lane l SET
    epoch = l.epoch + 1,
    holder = i.worker,
    lease_until = CASE WHEN t.lost AND t.id IS NULL THEN NULL
        ELSE now() + make_interval(secs => i.lease_seconds) END,
    message_id = t.id
FROM taken t, fixed i
WHERE l.dealer_id = t.dealer_id
RETURNING l.dealer_id::text, l.epoch, l.strikes, l.blocks, t.lost, t.id AS message_id,
    t.request_id, t.target::text, t.body, t.unknowns, t.awaited,
    l.probed AND l.suspect_id = t.id AS suspected,
    t.http_request_id, t.traceparent,
    extract(epoch FROM now() - greatest(t.due_at, ",
    aging_from!(),
    "))::float8 AS overdue_seconds,
    CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
        THEN l.calls ELSE 0 END AS calls_today,
    now() AS now"
);

/// Leases one lane for a call that no message stands for, and remembers the call: whoever dies in the
/// middle of it says no more. A retry wait or a breaker does not matter, the ordinary pace does, and so
/// does a wait for evidence, which a call would hide. A message whose holder vanished stays there to be
/// recovered.
pub(crate) const BEGIN_CALL: &str = "
UPDATE lane l SET
    epoch = l.epoch + 1,
    holder = i.worker,
    lease_until = now() + make_interval(secs => i.lease_seconds),
    unaccounted = l.unaccounted + 1,
    calls = CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
        THEN l.calls + 1 ELSE 1 END,
    calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
FROM input i
WHERE l.dealer_id = i.dealer_id
    AND (l.lease_until IS NULL OR l.lease_until <= now())
    AND (l.ready_at <= now() OR l.message_id IS NULL AND (l.strikes > 0 OR l.blocks > 0))
RETURNING l.epoch";

/// The attempts of a message `m` with that of a settlement `k`.
macro_rules! attempts {
    () => {
        "CASE WHEN k.attempt IS NULL THEN m.attempts
            -- Of more than 50 the first five and the last are kept.
            ELSE CASE WHEN jsonb_array_length(m.attempts) >= 50 THEN m.attempts - 5
                ELSE m.attempts END || (jsonb_build_object('at', now()) || k.attempt
                    || CASE WHEN m.target = i.erased THEN jsonb_build_object('detail', i.erased)
                        ELSE '{}' END) END"
    };
}

/// Whether the attempt of a settlement `k` is not kept yet.
macro_rules! is_new_attempt {
    () => {
        "NOT m.attempts @> jsonb_build_array(jsonb_build_object('epoch', k.epoch))"
    };
}

/// Settles claims.
///
/// A lane changes only for the lease that holds it, so that a settlement takes place once. The
/// message changes with it while it is SENDING. Without the lease an acceptance still lifts it,
/// as evidence. The attempt is kept in either case, once for each epoch; the request mirrors its
/// newest message. A message whose recipient was erased meanwhile is not tried again, and nothing of
/// what the provider says about it is kept.
///
/// With a `worker` a lane is leased again for its next message. That one is read from a snapshot; where
/// it is not to be sent any more when it is begun, nothing is begun in the leased lane.
pub(crate) const SETTLE: &str = concat!(
    "
, patience AS MATERIALIZED (
    -- For this transaction; before anything is locked.
    SELECT set_config('lock_timeout', lock_timeout, true) FROM input
), settled AS (
    SELECT u.* FROM patience, input i, unnest(
        i.dealer_id, i.epoch, i.lane, i.pause_seconds, i.rest_until, i.called, i.block_reason,
        i.account_print, i.message_id, i.suspect_id, i.state, i.request_status, i.whatsapp_status,
        i.wait_seconds, i.unknowns, i.reason, i.provider_id, i.provider_request_id, i.answer,
        i.attempt, i.accepted_id, i.accepted_number, i.quota_left, i.unaccounted, i.worker,
        i.lease_seconds) AS u (
        dealer_id, epoch, lane, pause_seconds, rest_until, called, block_reason,
        account_print, message_id, suspect_id, state, request_status, whatsapp_status,
        wait_seconds, unknowns, reason, provider_id, provider_request_id, answer,
        attempt, accepted_id, accepted_number, quota_left, unaccounted, worker, lease_seconds)
), advised AS (
    SELECT s.*, next.id AS next_id
    FROM settled s LEFT JOIN LATERAL (
        SELECT m.id FROM message m
        WHERE ",
    open!(),
    " AND m.dealer_id = s.dealer_id AND m.state = 'QUEUED' AND m.next_try_at <= now()
            AND s.worker IS NOT NULL
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) next ON true
), fixed AS (
    -- What is the same for all, without the arrays: whoever updates keeps whole rows of all sides.
    SELECT doubt_seconds, look_seconds, author, erased, cancelled_reason, undecided_reason,
        cancelled_request_status, cancelled_whatsapp_status
    FROM input
), held AS (
    UPDATE lane l SET
        epoch = l.epoch + CASE WHEN s.next_id IS NULL THEN 0 ELSE 1 END,
        holder = CASE WHEN s.next_id IS NULL THEN NULL ELSE s.worker END,
        lease_until = CASE WHEN s.next_id IS NULL THEN NULL
            ELSE now() + make_interval(secs => s.lease_seconds) END,
        -- A message that waits for evidence stays, to be recovered when the lane is ready.
        message_id = CASE WHEN s.message_id IS NULL OR s.state = 'SENDING' THEN l.message_id
            ELSE s.next_id END,
        -- What a call did not teach cannot shorten a pause.
        ready_at = greatest(
            now() + make_interval(secs => s.pause_seconds),
            ",
    rest_until!(),
    ",
            CASE WHEN s.lane IN ('unchanged', 'waiting', 'resting', 'spent') THEN l.ready_at END),
        last_provider_id = greatest(l.last_provider_id, s.accepted_number),
        last_sent_at = CASE WHEN s.state = 'SENT' THEN now() ELSE l.last_sent_at END,
        quota_left = coalesce(s.quota_left, l.quota_left),
        quota_at = CASE WHEN s.quota_left IS NULL THEN l.quota_at ELSE now() END,
        -- NULL: there are none any more.
        unaccounted = greatest(l.unaccounted + s.unaccounted, 0),
        rest_until = coalesce(",
    rest_until!(),
    ", l.rest_until),
        aging_from = CASE s.lane
            WHEN 'spent' THEN ",
    rest_until!(),
    "
            WHEN 'resting' THEN coalesce(",
    aging_from!(),
    ", '-infinity')
            ELSE l.aging_from END,
        calls = CASE WHEN NOT s.called THEN l.calls
            WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date THEN l.calls + 1
            ELSE 1 END,
        calls_on = CASE WHEN s.called
            THEN (now() AT TIME ZONE INTERVAL '+07:00')::date ELSE l.calls_on END,
        strikes = CASE s.lane
            WHEN 'ready' THEN 0 WHEN 'waiting' THEN l.strikes + 1 ELSE l.strikes END,
        probed = CASE s.lane
            WHEN 'probed' THEN true WHEN 'ready' THEN false WHEN 'blocked' THEN false
            ELSE l.probed END,
        suspect_id = CASE s.lane
            WHEN 'ready' THEN NULL ELSE coalesce(s.suspect_id, l.suspect_id) END,
        blocks = CASE s.lane
            WHEN 'ready' THEN 0 WHEN 'blocked' THEN l.blocks + 1 ELSE l.blocks END,
        blocked_since = CASE s.lane
            WHEN 'ready' THEN NULL WHEN 'blocked' THEN coalesce(l.blocked_since, now())
            ELSE l.blocked_since END,
        block_reason = CASE s.lane
            WHEN 'ready' THEN NULL
            WHEN 'blocked' THEN CASE
                WHEN (SELECT m.target FROM message m WHERE m.id = s.message_id) = i.erased
                    THEN i.erased ELSE s.block_reason END
            ELSE l.block_reason END,
        account_print = CASE s.lane
            WHEN 'ready' THEN NULL WHEN 'blocked' THEN s.account_print ELSE l.account_print END
    FROM advised s, fixed i
    WHERE l.dealer_id = s.dealer_id AND l.epoch = s.epoch AND l.lease_until IS NOT NULL
    RETURNING l.dealer_id, s.next_id, l.epoch, l.strikes, l.blocks,
        ",
    aging_from!(),
    " AS aging_from,
        CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
            THEN l.calls ELSE 0 END AS calls_today
), begun AS (
    UPDATE message m SET state = 'SENDING'
    FROM held h
    WHERE m.id = h.next_id AND m.state = 'QUEUED' AND m.next_try_at <= now()
    RETURNING h.dealer_id, h.epoch, h.strikes, h.blocks, h.calls_today, m.id, m.request_id,
        m.target, m.body, m.unknowns, m.awaited, m.http_request_id, m.traceparent,
        extract(epoch FROM now() - greatest(m.due_at, h.aging_from))::float8 AS overdue_seconds
), known AS MATERIALIZED (
    SELECT s.*, s.dealer_id IN (SELECT h.dealer_id FROM held h) AS holds FROM advised s
), changed AS (
    UPDATE message m SET
        state = CASE WHEN m.target = i.erased AND k.state = 'QUEUED'
            THEN 'CANCELLED' ELSE k.state END,
        next_try_at = CASE WHEN k.state = 'QUEUED'
            THEN now() + make_interval(secs => k.wait_seconds) ELSE m.next_try_at END,
        sent_at = CASE WHEN k.state = 'SENT' THEN coalesce(m.sent_at, now()) ELSE m.sent_at END,
        failed_at = CASE
            WHEN m.target = i.erased AND k.state = 'QUEUED'
                OR k.state IN ('FAILED', 'UNKNOWN', 'EXPIRED') THEN now()
            WHEN k.state = 'SENT' THEN NULL ELSE m.failed_at END,
        reason = CASE
            WHEN m.target <> i.erased THEN k.reason
            WHEN k.state = 'QUEUED' AND m.unknowns + k.unknowns > 0 THEN i.undecided_reason
            WHEN k.state = 'QUEUED' THEN i.cancelled_reason
            WHEN k.state = 'FAILED' THEN i.erased
            ELSE k.reason END,
        awaited = m.awaited OR k.state = 'SENDING',
        unknowns = m.unknowns + k.unknowns,
        provider_id = coalesce(k.provider_id, m.provider_id),
        provider_request_id = coalesce(k.provider_request_id, m.provider_request_id),
        attempts = ",
    attempts!(),
    "
    FROM known k, fixed i
    WHERE m.id = k.message_id
        -- Who holds the lane has not settled yet.
        AND CASE WHEN k.holds THEN m.state = 'SENDING'
            ELSE k.state = 'SENT'
                AND m.state IN ('QUEUED', 'SENDING', 'UNKNOWN', 'CANCELLED', 'EXPIRED')
                AND ",
    is_new_attempt!(),
    " END
    RETURNING m.id, m.request_id, m.created_at, m.target = i.erased AS erased,
        m.state = 'CANCELLED' AS cancelled, k.request_status, k.whatsapp_status, k.answer
), unchanged AS MATERIALIZED (
    -- Also those whose message somebody else changed at the very moment.
    SELECT * FROM known WHERE message_id NOT IN (SELECT id FROM changed)
), recorded AS (
    UPDATE message m SET
        -- By these its events are recognised, whatever became of it.
        provider_id = coalesce(m.provider_id, k.provider_id),
        provider_request_id = coalesce(m.provider_request_id, k.provider_request_id),
        attempts = ",
    attempts!(),
    "
    FROM unchanged k, fixed i
    WHERE m.id = k.message_id AND ",
    is_new_attempt!(),
    "
    RETURNING m.id
), all_recorded AS MATERIALIZED (
    -- Messages are locked before requests.
    SELECT count(*) AS messages FROM recorded
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = CASE WHEN c.cancelled
            THEN i.cancelled_request_status ELSE c.request_status END,
        whatsapp_status = CASE WHEN c.cancelled
            THEN i.cancelled_whatsapp_status ELSE c.whatsapp_status END,
        fonnte_response = CASE WHEN c.erased OR r.no_telp = i.erased
            THEN NULL ELSE coalesce(c.answer, r.fonnte_response) END,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM all_recorded, changed c, fixed i
    WHERE r.id = c.request_id AND ",
    is_newest!("c"),
    "
), named AS (
    -- Events that came before this was known: those of what was accepted, and those that may tell
    -- an outcome which is waited for. Nobody waits for an event: one that is being looked at is
    -- looked at again soon.
    SELECT e.id FROM settled s CROSS JOIN LATERAL (
        SELECT e.id FROM webhook_event e
        WHERE e.dealer_id = s.dealer_id AND e.provider_id = s.accepted_id
            AND e.message_id IS NULL AND e.provider_id IS NOT NULL
        FOR UPDATE OF e SKIP LOCKED) e
), telling AS (
    SELECT e.id FROM settled s CROSS JOIN LATERAL (
        SELECT e.id FROM webhook_event e
        WHERE e.dealer_id = s.dealer_id AND e.message_id IS NULL AND e.provider_id IS NOT NULL
        FOR UPDATE OF e SKIP LOCKED) e
    WHERE s.state = 'SENDING'
), woken AS (
    UPDATE webhook_event e SET next_look_at = now()
    FROM (SELECT id FROM named UNION SELECT id FROM telling) a WHERE e.id = a.id
)
SELECT dealer_id::text, holds AS applied, epoch, 0 AS strikes, 0 AS blocks, false AS lost,
    NULL::uuid AS message_id, NULL::uuid AS request_id, NULL AS target, NULL AS body,
    NULL::int AS unknowns, NULL::bool AS awaited, false AS suspected, NULL AS http_request_id, NULL AS traceparent,
    NULL::float8 AS overdue_seconds, 0 AS calls_today, now() AS now
FROM known
-- Nothing is said about what went as it should.
WHERE NOT holds OR next_id IS NOT NULL AND dealer_id NOT IN (SELECT dealer_id FROM begun)
UNION ALL
SELECT dealer_id, NULL, epoch, strikes, blocks, false, id, request_id, target, body, unknowns,
    awaited, false, http_request_id, traceparent, overdue_seconds, calls_today, now()
FROM begun"
);

/// Gives lanes back that were leased for messages which could not be begun.
pub(crate) const GIVE_BACK: &str = "
UPDATE lane l SET holder = NULL, lease_until = NULL, message_id = NULL
FROM (SELECT u.* FROM input i, unnest(i.dealer_id, i.epoch) AS u (dealer_id, epoch)) given
WHERE l.dealer_id = given.dealer_id AND l.epoch = given.epoch";

/// How long until some lane has something to do. An estimate: it looks only at the first message
/// of each lane.
pub(crate) const NEXT_DUE: &str = concat!(
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
        WHERE ",
    open!(),
    " AND m.dealer_id = d.dealer_id AND m.state = 'QUEUED'
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) head
    WHERE l.message_id IS NULL
)
SELECT extract(epoch FROM min(at) - now())::float8 AS seconds FROM next, input"
);

/// Ends queued messages that became too old; those that may have been sent once are unknown.
///
/// For each pair of quiet hours it is told what was due too long ago. Quiet hours that were set since
/// are not among them: their dealers' messages are left for the next time.
pub(crate) const EXPIRE: &str = concat!(
    heads!(),
    "
, quiet AS MATERIALIZED (
    SELECT q.* FROM input i, unnest(i.quiet_from, i.quiet_to, i.too_old_before)
        AS q (quiet_from, quiet_to, too_old_before)
), aging AS MATERIALIZED (
    SELECT l.dealer_id, ",
    aging_from!(),
    " AS aging_from,
        CASE WHEN s.quiet_from IS NULL THEN now() - make_interval(secs => i.ttl_seconds)
            ELSE q.too_old_before END AS too_old_before
    FROM dealer d
    JOIN lane l ON l.dealer_id = d.dealer_id
    LEFT JOIN dealer_settings s ON s.dealer_id = d.dealer_id
    LEFT JOIN quiet q ON q.quiet_from = s.quiet_from AND q.quiet_to = s.quiet_to,
    input i
), fixed AS (
    -- Without the arrays: whoever updates keeps whole rows of all sides.
    SELECT reason, undecided_reason, request_status, undecided_request_status, whatsapp_status,
        undecided_whatsapp_status, author
    FROM input
), old AS (
    -- The oldest of each lane come first in the index, and only they are read.
    SELECT m.id FROM aging a
    CROSS JOIN (VALUES (0::smallint), (1::smallint)) AS p (priority)
    CROSS JOIN LATERAL (
        SELECT m.id FROM message m
        WHERE ",
    open!(),
    " AND m.dealer_id = a.dealer_id AND m.state = 'QUEUED' AND m.priority = p.priority
            AND m.due_at < a.too_old_before
        ORDER BY m.due_at LIMIT (SELECT most FROM input)
        FOR UPDATE OF m SKIP LOCKED) m
    WHERE coalesce(a.aging_from < a.too_old_before, true)
    LIMIT (SELECT most FROM input)
), ended AS (
    UPDATE message m SET
        state = CASE WHEN m.unknowns = 0 THEN 'EXPIRED' ELSE 'UNKNOWN' END,
        reason = CASE WHEN m.unknowns = 0 THEN i.reason ELSE i.undecided_reason END,
        failed_at = now()
    FROM old o, fixed i
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
    FROM ended e, fixed i
    WHERE r.id = e.request_id AND ",
    is_newest!("e"),
    "
)
SELECT count(*) AS rows FROM ended"
);

/// Ends the rest of a lane, and notes when: also for a lane that does not rest, or is not there.
pub(crate) const END_REST: &str = "
INSERT INTO lane AS l (dealer_id, rest_ended_at, aging_from)
SELECT i.dealer_id, now(), now() FROM input i
ON CONFLICT (dealer_id) DO UPDATE SET
    rest_ended_at = now(),
    aging_from = now(),
    ready_at = CASE WHEN l.rest_until > now() THEN now() ELSE l.ready_at END,
    rest_until = CASE WHEN l.rest_until > now() THEN now() ELSE l.rest_until END";

pub(crate) const UNBLOCK: &str = concat!(
    "
UPDATE lane l SET ",
    closed_breaker!(),
    "
FROM input i
WHERE l.dealer_id = i.dealer_id AND l.blocks > 0
    AND l.account_print IS NOT DISTINCT FROM i.account_print"
);
