-- Of each dealer the confirmation that is due longest, with the dealer's lane. Of a phone's confirmations the oldest
-- goes first.
--
-- Locks: none. Plan: all due confirmations, of which there are few.

SELECT i.id, i.dealer_id::text, i.phone::text, i.opted_out, i.due_at, i.dealer_id::text AS lane_dealer_id,
\ir ../lanes/lane_state.sql
FROM (
    SELECT DISTINCT ON (c.dealer_id) c.*
    FROM opt_out_confirmation c
    WHERE c.next_try_at <= now() AND c.call_epoch IS NULL
        AND NOT EXISTS (
            SELECT FROM opt_out_confirmation o
            WHERE o.phone = c.phone AND o.dealer_id = c.dealer_id AND o.id < c.id
                AND o.call_epoch IS NULL)
    ORDER BY c.dealer_id, c.next_try_at, c.id
) i
LEFT JOIN lane l ON l.dealer_id = i.dealer_id
ORDER BY i.next_try_at, i.id
LIMIT :most
