-- Locks the messages of a person. They are found by recipient: another program may have deleted their
-- request.
--
-- Locks: messages. Plan: the index of recipients.

SELECT m.id AS place,
\ir message_read.sql
FROM message m
LEFT JOIN customer_validation_request r ON r.id = m.request_id
WHERE m.target = :phone AND m.target <> '[dihapus]'
ORDER BY m.id LIMIT :most
FOR UPDATE OF m
