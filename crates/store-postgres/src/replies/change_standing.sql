-- Opts the phones that are `wanted` out or in, unless they are, or something newer was said; and cancels what
-- waits for those that `turned`: at an opt-out what was submitted before, and at an opt-in what was submitted
-- since, because opting in revives nothing. A message that is locked at an opt-out is left: it is found before
-- its call.

prints AS (
\ir opt_out_prints.sql
), erased AS (
    -- Of an erased person.
    SELECT o.place, o.opted_out, o.said_at FROM opt_out o
    JOIN wanted w ON w.dealer_id = o.dealer_id
    WHERE o.phone_print IN (SELECT print FROM prints)
), unerased AS (
    -- The print stays, because what was said before must not count later.
    UPDATE opt_out o SET
        place = DEFAULT, opted_out = false, origin = w.origin, changed_at = now(), said_at = w.said_at
    FROM erased e, wanted w
    WHERE o.place = e.place AND e.opted_out AND NOT w.opted_out
        AND date_trunc('second', e.said_at) <= w.said_at
    RETURNING w.dealer_id, w.phone
), opted_in AS (
    UPDATE opt_out o SET
        place = DEFAULT, opted_out = false, origin = w.origin, note = NULL, changed_at = now(),
        said_at = w.said_at
    FROM wanted w
    WHERE NOT w.opted_out AND o.dealer_id = w.dealer_id AND o.phone = w.phone AND o.opted_out
        AND date_trunc('second', o.said_at) <= w.said_at
    RETURNING o.dealer_id, o.phone
), opted_out AS (
    INSERT INTO opt_out AS o (dealer_id, phone, opted_out, origin, note, said_at)
    SELECT w.dealer_id, w.phone, true, w.origin, w.note, w.said_at FROM wanted w
    WHERE w.opted_out AND NOT EXISTS (
        SELECT FROM erased e WHERE e.opted_out OR date_trunc('second', e.said_at) > w.said_at)
    ON CONFLICT (dealer_id, phone) WHERE phone IS NOT NULL DO UPDATE SET
        place = DEFAULT, opted_out = true, origin = excluded.origin, note = excluded.note,
        changed_at = now(), said_at = excluded.said_at
    WHERE NOT o.opted_out AND date_trunc('second', o.said_at) <= excluded.said_at
    RETURNING o.place, o.dealer_id, o.phone, o.origin, o.note, o.changed_at
), replaced AS (
    DELETE FROM opt_out o USING erased e
    WHERE o.place = e.place AND NOT e.opted_out AND EXISTS (SELECT FROM opted_out)
), turned AS (
    SELECT dealer_id, phone FROM opted_out
    UNION SELECT dealer_id, phone FROM opted_in
    UNION SELECT dealer_id, phone FROM unerased
), overtaken AS (
    -- What a person must not be told any more.
    DELETE FROM opt_out_confirmation c USING wanted w
    WHERE (c.dealer_id, c.phone) IN (SELECT dealer_id, phone FROM turned) AND c.call_epoch IS NULL
        AND (w.origin = 'manual' OR w.opted_out AND NOT c.opted_out)
), waiting AS (
    SELECT m.id, m.request_id FROM message m
    WHERE (m.dealer_id, m.target) IN (SELECT dealer_id, phone FROM turned)
        AND m.state = 'QUEUED' AND m.target <> '[dihapus]'
    FOR UPDATE OF m SKIP LOCKED
), asked AS (
    SELECT r.id FROM customer_validation_request r
    WHERE r.id IN (SELECT request_id FROM waiting)
    FOR NO KEY UPDATE OF r SKIP LOCKED
), held AS (
    -- Another program may have deleted the request.
    SELECT w.id FROM waiting w
    LEFT JOIN asked a ON a.id = w.request_id
    LEFT JOIN customer_validation_request r ON r.id = w.request_id
    WHERE a.id IS NOT NULL OR r.id IS NULL
), changed AS (
    UPDATE message m SET
        state = 'CANCELLED',
        failed_at = now(),
        reason = CASE WHEN m.unknowns = 0 THEN :reason ELSE :undecided_reason END
    FROM held h
    WHERE m.id = h.id
    RETURNING m.id, m.request_id, m.created_at, :request_status::varchar AS request_status,
        :whatsapp_status::varchar AS whatsapp_status
), mirrored AS (
    UPDATE customer_validation_request r SET
\ir ../requests/mirror.sql
)
