-- Whether a phone is opted out at this moment. Asked before every call.
--
-- Locks: none. Plan: the indexes of phones and prints; a dealer without opt-outs has no row in them.

WITH wanted AS (
    SELECT :phone::varchar AS phone
), prints AS (
\ir opt_out_prints.sql
)
SELECT EXISTS (
        SELECT FROM opt_out o
        WHERE o.dealer_id = :dealer_id AND o.phone = :phone AND o.opted_out)
    OR EXISTS (
        SELECT FROM opt_out o
        WHERE o.dealer_id = :dealer_id AND o.phone_print = ANY (ARRAY(SELECT print FROM prints))
            AND o.opted_out) AS is_opted_out
