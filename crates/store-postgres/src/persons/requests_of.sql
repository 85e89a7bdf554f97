-- The requests of a person that are not erased, by their ids.
--
-- Locks: none. Plan: the index of phones.

SELECT
\ir ../requests/columns.sql
FROM customer_validation_request r
WHERE
\ir of_phone.sql
    AND r.id > :after
ORDER BY r.id LIMIT :most
