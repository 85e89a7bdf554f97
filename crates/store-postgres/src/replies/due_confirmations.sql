-- The oldest due confirmation of each dealer.
--
-- Locks: none. Plan: all due confirmations, of which there are few.

SELECT DISTINCT ON (c.dealer_id) c.id, c.dealer_id::text, c.phone::text, c.opted_out, c.due_at,
    now() AS now
FROM opt_out_confirmation c
WHERE c.next_try_at <= now()
ORDER BY c.dealer_id, c.id
LIMIT :most
