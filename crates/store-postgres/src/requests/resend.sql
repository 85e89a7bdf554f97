-- Queues a message once more, unless one of the request is under way.
--
-- Runs under the request's lock (`FOR NO KEY UPDATE`, by the previous statement of the transaction), so its
-- snapshot shows every message that a concurrent call has queued.
--
-- Locks: the lane, where it is new, and the request. Plan: the request by its id, messages by their request.

WITH wanted AS (
    SELECT r.id AS request_id, r.dealer_id FROM customer_validation_request r
    WHERE r.id = :request_id AND (:only::varchar IS NULL OR r.dealer_id = :only)
        AND r.no_telp IS DISTINCT FROM :erased
        AND NOT EXISTS (
            SELECT FROM message p
            WHERE p.request_id = r.id AND p.state IN ('QUEUED', 'SENDING'))
), known_lane AS (
    INSERT INTO lane (dealer_id) SELECT dealer_id FROM wanted ON CONFLICT DO NOTHING
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = :request_status,
        whatsapp_status = :whatsapp_status,
        last_modified_by = :author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00',
        newest_message_id = :message_id
    FROM wanted w
    WHERE r.id = w.request_id
), changed AS (
    INSERT INTO message AS m (
        id, request_id, dealer_id, kind, priority, template, template_version, variables, body, target,
        created_at, due_at, next_try_at, http_request_id, traceparent)
    SELECT :message_id, request_id, dealer_id, :kind, :priority::smallint, :template,
        :template_version::int, :variables::jsonb, :body, :target,
        -- now() is when the transaction began, before the wait for the lock.
        greatest(clock_timestamp(), (
            SELECT max(p.created_at) + INTERVAL '1 microsecond' FROM message p
            WHERE p.request_id = w.request_id)),
        greatest(:not_before, now()), greatest(:not_before, now()), :http_request_id, :traceparent
    FROM wanted w
    RETURNING m.*
), noted AS (
\ir ../operations/note.sql
)
SELECT
\ir shown_message.sql
FROM changed m
LEFT JOIN lane l ON l.dealer_id = m.dealer_id
