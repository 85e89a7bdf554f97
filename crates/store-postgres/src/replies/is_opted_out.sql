-- Which of these phones are opted out at this moment, by their places. Asked before every call.
--
-- Locks: none. Plan: the indexes of phones and prints; a dealer without opt-outs has no row in them, and a
-- phone is hashed only where its dealer has prints.

WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(:dealer_ids::varchar[], :phones::varchar[]) WITH ORDINALITY
        AS u (dealer_id, phone, place)
), wanted AS (
    SELECT DISTINCT a.phone FROM asked a
    WHERE EXISTS (
        SELECT FROM opt_out o WHERE o.dealer_id = a.dealer_id AND o.phone_print IS NOT NULL)
), prints AS MATERIALIZED (
\ir opt_out_prints.sql
)
SELECT a.place FROM asked a
WHERE EXISTS (
        SELECT FROM opt_out o
        WHERE o.dealer_id = a.dealer_id AND o.phone = a.phone AND o.opted_out)
    OR EXISTS (
        SELECT FROM opt_out o
        WHERE o.dealer_id = a.dealer_id AND o.opted_out
            AND o.phone_print = ANY (ARRAY(SELECT p.print FROM prints p WHERE p.phone = a.phone)))
