-- Requests by their ids. Where the caller sees one dealer only, that is part of the question: a row of
-- another dealer takes the path, and the time, of one that does not exist.
--
-- Locks: none. Plan: by their ids.

SELECT u.n,
\ir columns.sql
FROM unnest(:ids::uuid[], :dealers::varchar[]) WITH ORDINALITY AS u (id, dealer_id, n)
JOIN customer_validation_request r
    ON r.id = u.id AND (u.dealer_id IS NULL OR r.dealer_id = u.dealer_id)
