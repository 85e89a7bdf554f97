-- Requests by their ids. The tenant is part of the condition: another dealer's row takes the plan, and the
-- time, of a missing one.
--
-- Locks: none. Plan: by their ids.

SELECT u.n,
\ir columns.sql
FROM unnest(:ids::uuid[], :dealers::varchar[]) WITH ORDINALITY AS u (id, dealer_id, n)
JOIN customer_validation_request r
    ON r.id = u.id AND (u.dealer_id IS NULL OR r.dealer_id = u.dealer_id)
