-- Ends queued messages that are too old. One that may have been sent before becomes UNKNOWN, and one whose
-- recipient opted out is cancelled.
--
-- The caller computes the age limit for each pair of quiet hours. A pair that was set since is not among
-- them: its messages are left for the next run.
--
-- Locks: messages, skipping locked rows, then requests. Plan: the oldest messages of each dealer and priority
-- in the index `message_open`.

WITH RECURSIVE dealer AS (
\ir open_dealers.sql
), quiet AS MATERIALIZED (
    SELECT * FROM unnest(
        :quiet_from::time[], :quiet_to::time[], :too_old_before::timestamptz[])
        AS q (quiet_from, quiet_to, too_old_before)
), aging AS MATERIALIZED (
    SELECT l.dealer_id, coalesce(l.aging_from, l.rest_until) AS aging_from,
        CASE WHEN s.quiet_from IS NULL THEN now() - make_interval(secs => :ttl_seconds)
            ELSE q.too_old_before END AS too_old_before
    FROM dealer d
    -- OFFSET: by its key, as in `claim.sql`.
    CROSS JOIN LATERAL (
        SELECT l.dealer_id, l.aging_from, l.rest_until FROM lane l
        WHERE l.dealer_id = d.dealer_id OFFSET 0) l
    LEFT JOIN dealer_settings s ON s.dealer_id = d.dealer_id
    LEFT JOIN quiet q ON q.quiet_from = s.quiet_from AND q.quiet_to = s.quiet_to
), wanted AS (
    -- The oldest of each lane come first in the index, and only they are read.
    SELECT m.id, m.dealer_id, m.target AS phone FROM aging a
    CROSS JOIN (VALUES (0::smallint), (1::smallint)) AS p (priority)
    CROSS JOIN LATERAL (
        SELECT m.id, m.dealer_id, m.target FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = a.dealer_id
            AND m.state = 'QUEUED' AND m.priority = p.priority
            AND m.due_at < a.too_old_before
        ORDER BY m.due_at LIMIT :most
        FOR UPDATE OF m SKIP LOCKED) m
    WHERE coalesce(a.aging_from < a.too_old_before, true)
    LIMIT :most
), prints AS (
\ir ../replies/opt_out_prints.sql
), old AS (
    SELECT w.id, EXISTS (
            SELECT FROM opt_out o
            WHERE o.dealer_id = w.dealer_id AND o.phone = w.phone AND o.opted_out)
        OR EXISTS (
            SELECT FROM opt_out o
            WHERE o.dealer_id = w.dealer_id AND o.opted_out
                -- ARRAY: hashed once for each phone, not for each erased person.
                AND o.phone_print = ANY (ARRAY(SELECT p.print FROM prints p WHERE p.phone = w.phone)))
            AS is_out
    FROM wanted w
), changed AS (
    UPDATE message m SET
        state = CASE WHEN o.is_out THEN 'CANCELLED' WHEN m.unknowns = 0 THEN 'EXPIRED' ELSE 'UNKNOWN' END,
        reason = CASE WHEN o.is_out AND m.unknowns = 0 THEN :out_reason
            WHEN o.is_out THEN :undecided_out_reason
            WHEN m.unknowns = 0 THEN :reason ELSE :undecided_reason END,
        failed_at = now()
    FROM old o
    WHERE m.id = o.id
    RETURNING m.id, m.request_id, m.created_at,
        CASE WHEN o.is_out THEN :out_request_status
            WHEN m.unknowns = 0 THEN :request_status ELSE :undecided_request_status END
            AS request_status,
        CASE WHEN o.is_out THEN :out_whatsapp_status
            WHEN m.unknowns = 0 THEN :whatsapp_status ELSE :undecided_whatsapp_status END
            AS whatsapp_status
), mirrored AS (
    UPDATE customer_validation_request r SET
\ir ../requests/mirror.sql
)
SELECT count(*) AS rows FROM changed
