-- Settles claims.
--
-- A lane changes only under the lease that holds it, so that a settlement takes place once; its message
-- changes with it while it is SENDING. Without the lease an acceptance still lifts the message, as evidence.
-- `LaneChange` and `MessageChange` decide the new values, which are bound. The attempt is stored in either
-- case, once for each epoch. The request mirrors its newest message. A message whose recipient was erased
-- meanwhile is not retried, and the provider's text about it is not stored. How long an
-- accepted message took is counted in the same statement.
--
-- With a `worker`, a lane is leased again for its next message, which is read from a snapshot. Where that
-- message can no longer be begun, the lane is leased without a message, and a row says so.
--
-- Locks: lanes, then messages, then requests; locked events are skipped. Plan: lanes and messages by their
-- ids; the next message in the index `message_open`.

WITH patience AS MATERIALIZED (
    -- For this transaction; set before the first lock.
    SELECT set_config('lock_timeout', :lock_timeout, true)
), settled AS (
    SELECT u.* FROM patience, unnest(
        :dealer_id::varchar[], :epoch::bigint[], :pause_seconds::float8[], :keeps_pause::bool[],
        :forgets_trouble::bool[], :strikes::int[], :blocks::int[], :probed::bool[],
        :rest_until::timestamptz[], :ages_after_rest::bool[], :called::bool[], :block_reason::text[], :account_print::text[],
        :message_id::uuid[], :suspect_id::uuid[], :state::text[], :request_status::varchar[],
        :whatsapp_status::varchar[], :wait_seconds::float8[], :unknowns::int[], :reason::text[],
        :provider_id::text[], :provider_request_id::bigint[], :answer::json[], :attempt::jsonb[],
        :accepted_id::text[], :accepted_number::bigint[], :quota_left::bigint[],
        :unaccounted::int[], :worker::uuid[], :lease_seconds::float8[]) AS u (
        dealer_id, epoch, pause_seconds, keeps_pause, forgets_trouble, strikes, blocks, probed,
        rest_until, ages_after_rest, called, block_reason, account_print, message_id, suspect_id, state, request_status, whatsapp_status,
        wait_seconds, unknowns, reason, provider_id, provider_request_id, answer,
        attempt, accepted_id, accepted_number, quota_left, unaccounted, worker, lease_seconds)
), advised AS (
    SELECT s.*, next.id AS next_id
    FROM settled s LEFT JOIN LATERAL (
        SELECT m.id FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = s.dealer_id
            AND m.state = 'QUEUED' AND m.next_try_at <= now()
            AND s.worker IS NOT NULL
            AND NOT EXISTS (
                -- A confirmation that has become due goes first.
                SELECT FROM opt_out_confirmation c
                WHERE c.dealer_id = s.dealer_id AND c.next_try_at <= now()
                    AND c.next_try_at > now() - make_interval(secs => :turn_seconds))
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) next ON true
), held AS (
    UPDATE lane l SET
        epoch = l.epoch + CASE WHEN s.next_id IS NULL THEN 0 ELSE 1 END,
        holder = CASE WHEN s.next_id IS NULL THEN NULL ELSE s.worker END,
        lease_until = CASE WHEN s.next_id IS NULL THEN NULL
            ELSE now() + make_interval(secs => s.lease_seconds) END,
        -- A message that waits for evidence stays, to be recovered when the lane is ready.
        message_id = CASE WHEN s.message_id IS NULL OR s.state = 'SENDING' THEN l.message_id
            ELSE s.next_id END,
        ready_at = greatest(
            now() + make_interval(secs => s.pause_seconds),
            CASE WHEN s.rest_until IS NULL THEN NULL
            WHEN l.rest_ended_at > now() - make_interval(secs => :doubt_seconds)
                THEN least(s.rest_until, now() + make_interval(secs => :look_seconds))
            ELSE s.rest_until END,
            CASE WHEN s.keeps_pause THEN l.ready_at END),
        last_provider_id = greatest(l.last_provider_id, s.accepted_number),
        last_sent_at = CASE WHEN s.state = 'SENT' THEN now() ELSE l.last_sent_at END,
        quota_left = coalesce(s.quota_left, l.quota_left),
        quota_at = CASE WHEN s.quota_left IS NULL THEN l.quota_at ELSE now() END,
        -- NULL when no call is unaccounted.
        unaccounted = greatest(l.unaccounted + s.unaccounted, 0),
        rest_until = coalesce(CASE WHEN s.rest_until IS NULL THEN NULL
            WHEN l.rest_ended_at > now() - make_interval(secs => :doubt_seconds)
                THEN least(s.rest_until, now() + make_interval(secs => :look_seconds))
            ELSE s.rest_until END, l.rest_until),
        aging_from = CASE WHEN s.rest_until IS NULL THEN l.aging_from
            WHEN NOT s.ages_after_rest
                THEN coalesce(l.aging_from, l.rest_until, '-infinity')
            WHEN l.rest_ended_at > now() - make_interval(secs => :doubt_seconds)
                THEN least(s.rest_until, now() + make_interval(secs => :look_seconds))
            ELSE s.rest_until END,
        calls = CASE WHEN NOT s.called THEN l.calls
            WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date THEN l.calls + 1
            ELSE 1 END,
        calls_on = CASE WHEN s.called
            THEN (now() AT TIME ZONE INTERVAL '+07:00')::date ELSE l.calls_on END,
        strikes = CASE WHEN s.forgets_trouble THEN 0 ELSE l.strikes END + s.strikes,
        blocks = CASE WHEN s.forgets_trouble THEN 0 ELSE l.blocks END + s.blocks,
        probed = coalesce(s.probed, l.probed),
        suspect_id = CASE WHEN NOT s.forgets_trouble
            THEN coalesce(s.suspect_id, l.suspect_id) END,
        blocked_since = CASE WHEN s.blocks > 0 THEN coalesce(l.blocked_since, now())
            WHEN NOT s.forgets_trouble THEN l.blocked_since END,
        block_reason = CASE
            WHEN s.blocks > 0 THEN CASE
                WHEN (SELECT m.target FROM message m WHERE m.id = s.message_id) = :erased
                    THEN :erased ELSE s.block_reason END
            WHEN NOT s.forgets_trouble THEN l.block_reason END,
        account_print = CASE WHEN s.blocks > 0 THEN s.account_print
            WHEN NOT s.forgets_trouble THEN l.account_print END
    FROM advised s
    WHERE l.dealer_id = s.dealer_id AND l.epoch = s.epoch AND l.lease_until IS NOT NULL
    RETURNING l.dealer_id, s.next_id, l.epoch, l.strikes, l.blocks,
        coalesce(l.aging_from, l.rest_until) AS aging_from,
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
), written AS (
    UPDATE message m SET
        state = CASE WHEN m.target = :erased AND k.state = 'QUEUED'
            THEN 'CANCELLED' ELSE k.state END,
        next_try_at = CASE WHEN k.state = 'QUEUED'
            THEN now() + make_interval(secs => k.wait_seconds) ELSE m.next_try_at END,
        sent_at = CASE WHEN k.state = 'SENT' THEN coalesce(m.sent_at, now()) ELSE m.sent_at END,
        failed_at = CASE
            WHEN m.target = :erased AND k.state = 'QUEUED'
                OR k.state IN ('FAILED', 'UNKNOWN', 'EXPIRED', 'CANCELLED') THEN now()
            WHEN k.state = 'SENT' THEN NULL ELSE m.failed_at END,
        reason = CASE
            WHEN m.target <> :erased THEN k.reason
            WHEN k.state = 'QUEUED' AND m.unknowns + k.unknowns > 0 THEN :undecided_reason
            WHEN k.state = 'QUEUED' THEN :cancelled_reason
            WHEN k.state = 'FAILED' THEN :erased
            ELSE k.reason END,
        awaited = m.awaited OR k.state = 'SENDING',
        unknowns = m.unknowns + k.unknowns,
        provider_id = coalesce(k.provider_id, m.provider_id),
        provider_request_id = coalesce(k.provider_request_id, m.provider_request_id),
        attempts = CASE WHEN k.attempt IS NULL THEN m.attempts
            -- Of more than 50 the first five and the last are kept.
            ELSE CASE WHEN jsonb_array_length(m.attempts) >= 50 THEN m.attempts - 5
                ELSE m.attempts END || (jsonb_build_object('at', now()) || k.attempt
                    || CASE WHEN m.target = :erased
                        THEN jsonb_build_object('detail', :erased::text) ELSE '{}' END) END
    FROM known k
    WHERE m.id = k.message_id
        -- The holder of the lane has not settled yet.
        AND CASE WHEN k.holds THEN m.state = 'SENDING'
            ELSE k.state = 'SENT'
                AND m.state IN ('QUEUED', 'SENDING', 'UNKNOWN', 'CANCELLED', 'EXPIRED')
                AND NOT m.attempts @> jsonb_build_array(jsonb_build_object('epoch', k.epoch)) END
    RETURNING m.id, m.request_id, m.created_at, m.due_at, m.sent_at, m.target = :erased AS erased,
        CASE WHEN m.state = 'CANCELLED' THEN :cancelled_request_status ELSE k.request_status END
            AS request_status,
        CASE WHEN m.state = 'CANCELLED' THEN :cancelled_whatsapp_status ELSE k.whatsapp_status END
            AS whatsapp_status,
        k.answer
), unchanged AS MATERIALIZED (
    -- Includes messages that another statement changed at the same moment.
    SELECT * FROM known WHERE message_id NOT IN (SELECT id FROM written)
), recorded AS (
    UPDATE message m SET
        -- Stored whatever the outcome: events are matched by these ids.
        provider_id = coalesce(m.provider_id, k.provider_id),
        provider_request_id = coalesce(m.provider_request_id, k.provider_request_id),
        attempts = CASE WHEN k.attempt IS NULL THEN m.attempts
            -- Of more than 50 the first five and the last are kept.
            ELSE CASE WHEN jsonb_array_length(m.attempts) >= 50 THEN m.attempts - 5
                ELSE m.attempts END || (jsonb_build_object('at', now()) || k.attempt
                    || CASE WHEN m.target = :erased
                        THEN jsonb_build_object('detail', :erased::text) ELSE '{}' END) END
    FROM unchanged k
    WHERE m.id = k.message_id
        AND NOT m.attempts @> jsonb_build_array(jsonb_build_object('epoch', k.epoch))
    RETURNING m.id
), all_recorded AS MATERIALIZED (
    -- Messages are locked before requests.
    SELECT count(*) AS messages FROM recorded
), changed AS (
    SELECT w.* FROM all_recorded, written w
), mirrored AS (
    UPDATE customer_validation_request r SET
        fonnte_response = CASE WHEN c.erased OR r.no_telp = :erased
            THEN NULL ELSE coalesce(c.answer, r.fonnte_response) END,
\ir ../requests/mirror.sql
    RETURNING r.id, r.dealer_id, r.request_date, c.sent_at, c.due_at
), elsewhere AS (
    -- The request shows a newer message.
    SELECT r.id, r.dealer_id, r.request_date, o.sent_at, o.due_at
    FROM (
        SELECT w.request_id, w.sent_at, w.due_at FROM written w
        WHERE w.sent_at = now() AND w.request_id NOT IN (SELECT id FROM mirrored)
    ) o
    JOIN customer_validation_request r ON r.id = o.request_id
    FOR SHARE OF r
), timed AS (
    -- Under the lock of the request, so that whoever deletes or moves it counts before or after this.
    INSERT INTO message_seconds_change (dealer_id, request_date, measure, seconds, messages)
    -- What was written is not joined: without statistics that reads it once for each message.
    SELECT r.dealer_id, r.request_date, 'send', whole_seconds(r.sent_at - r.due_at), 1
    FROM (SELECT * FROM mirrored UNION ALL SELECT * FROM elsewhere) r
    WHERE r.sent_at = now()
), named AS (
    -- Events that arrived before the id was known: those of the accepted message, and those that may settle
    -- an unknown outcome. Skips locked rows: a locked event stays due.
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
    NULL::int AS unknowns, NULL::bool AS awaited, false AS suspected, NULL AS http_request_id,
    NULL AS traceparent, NULL::float8 AS overdue_seconds, 0 AS calls_today, now() AS now
FROM known
-- A settlement that ended as usual has no row.
WHERE NOT holds OR next_id IS NOT NULL AND dealer_id NOT IN (SELECT dealer_id FROM begun)
UNION ALL
SELECT dealer_id, NULL, epoch, strikes, blocks, false, id, request_id, target, body, unknowns,
    awaited, false, http_request_id, traceparent, overdue_seconds, calls_today, now()
FROM begun
