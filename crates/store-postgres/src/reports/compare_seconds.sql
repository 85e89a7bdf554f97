-- How many counted seconds differ from the messages, and by how many messages.
--
-- Locks: none. Plan: all messages and requests.

SELECT count(*) AS wrong, coalesce(sum(abs(messages)), 0)::bigint AS requests FROM (
\ir seconds_differences.sql
) difference
