-- Erases messages that this transaction has locked. The snapshot is younger than the locks, and a report is
-- matched under its message's lock, so every matched report is seen.
--
-- Locks: requests; locked reports are skipped. Plan: messages and requests by their ids, reports by their
-- message.

WITH theirs AS (
    SELECT * FROM unnest(
        :ids::uuid[], :queued::bool[], :reasons::text[], :calls::text[], :state_ids::text[])
        AS u (id, queued, reason, call, state_id)
), erased AS (
    UPDATE message m SET
        state = CASE WHEN t.queued THEN 'CANCELLED' ELSE m.state END,
        failed_at = CASE WHEN t.queued THEN now() ELSE m.failed_at END,
        reason = CASE WHEN NOT t.queued THEN t.reason
            WHEN m.unknowns = 0 THEN :reason ELSE :undecided_reason END,
        body = '[dihapus]',
        target = '[dihapus]',
        variables = NULL,
        http_request_id = t.call,
        traceparent = NULL,
        provider_state_id = t.state_id,
        attempts = (
            SELECT coalesce(
                jsonb_agg(a || jsonb_build_object('detail', '[dihapus]'::text) ORDER BY n), '[]')
            FROM jsonb_array_elements(m.attempts) WITH ORDINALITY AS x (a, n))
    FROM theirs t
    WHERE m.id = t.id
    RETURNING m.id, m.request_id, m.created_at, m.reason, t.queued AS cancelled
), changed AS (
    SELECT id, request_id, created_at, :request_status::varchar AS request_status,
        :whatsapp_status::varchar AS whatsapp_status
    FROM erased WHERE cancelled
), mirrored AS (
    UPDATE customer_validation_request r SET
\ir ../requests/mirror.sql
), explained AS (
    -- What endpoints were told, or will be.
    UPDATE event v SET reason = e.reason FROM erased e
    WHERE v.subject = e.id AND v.reason IS NOT NULL
), reported AS (
    SELECT e.id FROM webhook_event e
    WHERE e.message_id IN (SELECT id FROM erased) AND e.body <> '[dihapus]'
    FOR UPDATE OF e SKIP LOCKED
), told AS (
    UPDATE webhook_event e SET body = '[dihapus]', reason = NULL, state_id = NULL
    FROM reported p WHERE e.id = p.id
    RETURNING e.id
)
SELECT (SELECT count(*) FROM erased) AS messages,
    (SELECT count(*) FROM erased WHERE cancelled) AS cancelled,
    (SELECT count(*) FROM told) AS events
