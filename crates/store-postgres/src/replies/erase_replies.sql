-- Removes what a person wrote. Of its opt-outs those that hold are left, as prints under the first key.
--
-- Locks: replies, confirmations and opt-outs. Plan: replies and confirmations by phone; all opt-outs.

WITH theirs AS (
    SELECT y.place FROM reply y WHERE y.phone = :phone ORDER BY y.place LIMIT :most FOR UPDATE OF y
), gone AS (
    DELETE FROM reply y USING theirs t WHERE y.place = t.place RETURNING y.place
), unconfirmed AS (
    DELETE FROM opt_out_confirmation c WHERE c.phone = :phone
), forgotten AS (
    DELETE FROM opt_out o WHERE o.phone = :phone AND NOT o.opted_out
), hidden AS (
    UPDATE opt_out o SET
        phone = NULL,
        note = NULL,
        phone_print = sha256(k.key || sha256(k.key || convert_to(:phone, 'UTF8')))
    FROM (SELECT coalesce((:print_keys::bytea[])[1], (SELECT key FROM opt_out_key LIMIT 1)) AS key) k
    WHERE o.phone = :phone AND o.opted_out
)
SELECT count(*) AS rows FROM gone
