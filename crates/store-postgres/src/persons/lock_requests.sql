-- Locks the requests of a person.
--
-- Locks: requests. Plan: the index of phones.

SELECT r.id AS place,
\ir request_read.sql
FROM customer_validation_request r
WHERE
\ir of_phone.sql
ORDER BY r.id LIMIT :most
FOR NO KEY UPDATE OF r
