-- The messages of some requests, oldest first.
--
-- Locks: none.
-- Plan: messages by their requests.

SELECT m.request_id,
\ir ../requests/shown_message.sql
FROM message m
LEFT JOIN lane l ON l.dealer_id = m.dealer_id
WHERE m.request_id = ANY (:requests::uuid[])
ORDER BY m.created_at, m.id
