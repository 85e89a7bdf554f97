-- Cancels the message of a request that waits to be sent.
--
-- Locks: the message, then the request. Waits for a concurrent claim and checks again. Plan: messages by
-- their request.

WITH waiting AS (
    SELECT m.id FROM message m
    WHERE m.request_id = :request_id AND m.state = 'QUEUED'
        AND (:only::varchar IS NULL OR m.dealer_id = :only)
    FOR UPDATE OF m
), changed AS (
    UPDATE message m SET
        state = 'CANCELLED',
        failed_at = now(),
        reason = CASE WHEN m.unknowns = 0 THEN :reason ELSE :undecided_reason END
    FROM waiting w
    WHERE m.id = w.id
    RETURNING m.*, :request_status::varchar AS request_status,
        :whatsapp_status::varchar AS whatsapp_status
), mirrored AS (
    UPDATE customer_validation_request r SET
\ir mirror.sql
), noted AS (
\ir ../operations/note.sql
)
SELECT
\ir shown_message.sql
FROM changed m
LEFT JOIN lane l ON l.dealer_id = m.dealer_id
