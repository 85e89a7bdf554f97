-- The messages of a request, oldest first.
--
-- Locks: none.
-- Plan: messages by their request; those before each in the index `message_open` alone.

SELECT
\ir shown_message.sql
FROM message m
LEFT JOIN lane l ON l.dealer_id = m.dealer_id
WHERE m.request_id = :request_id AND (:only::varchar IS NULL OR m.dealer_id = :only)
ORDER BY m.created_at, m.id
