-- Removes what a person wrote. Of its opt-outs those that hold are left, as prints under the first key. Where there is
-- a print from an earlier erasure, that is left.
--
-- Locks: replies, confirmations and opt-outs. Plan: replies and confirmations by phone; all opt-outs.

WITH wanted AS (
    SELECT :phone::varchar AS phone
), prints AS (
\ir opt_out_prints.sql
), erased_before AS (
    SELECT o.place, o.dealer_id FROM opt_out o WHERE o.phone_print IN (SELECT print FROM prints)
), theirs AS (
    SELECT y.place FROM reply y WHERE y.phone = :phone ORDER BY y.place LIMIT :most FOR UPDATE OF y
), gone AS (
    DELETE FROM reply y USING theirs t WHERE y.place = t.place RETURNING y.place
), unconfirmed AS (
    DELETE FROM opt_out_confirmation c WHERE c.phone = :phone
), forgotten AS (
    DELETE FROM opt_out o
    WHERE o.phone = :phone
        AND (NOT o.opted_out OR o.dealer_id IN (SELECT dealer_id FROM erased_before))
), renewed AS (
    UPDATE opt_out e SET
        place = DEFAULT, opted_out = true, origin = o.origin, note = NULL, changed_at = o.changed_at,
        said_at = o.said_at
    FROM erased_before b
    JOIN opt_out o ON o.dealer_id = b.dealer_id AND o.phone = :phone AND o.opted_out
    WHERE e.place = b.place AND NOT e.opted_out
), hidden AS (
    UPDATE opt_out o SET
        phone = NULL,
        note = NULL,
        phone_print = sha256(k.key || sha256(k.key || convert_to(:phone, 'UTF8')))
    FROM (SELECT coalesce((:print_keys::bytea[])[1], (SELECT key FROM opt_out_key LIMIT 1)) AS key) k
    WHERE o.phone = :phone AND o.opted_out
        AND o.dealer_id NOT IN (SELECT dealer_id FROM erased_before)
)
SELECT count(*) AS rows FROM gone
