-- How many counts differ from the rows, and by how many requests.
--
-- Locks: none. Plan: all requests.

SELECT count(*) AS wrong, coalesce(sum(abs(rows)), 0)::bigint AS requests FROM (
\ir differences.sql
) difference
