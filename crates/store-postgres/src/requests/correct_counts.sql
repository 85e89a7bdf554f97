-- Corrects wrong counts by one more change each. A concurrent transaction appends its own changes: rows and
-- changes become visible together at its commit.
--
-- Locks: none. Plan: all requests.

WITH difference AS (
\ir differences.sql
), corrected AS (
    INSERT INTO request_count_change (dealer_id, request_date, request_status, whatsapp_status, rows)
    SELECT * FROM difference RETURNING rows
)
SELECT count(*) AS wrong, coalesce(sum(abs(rows)), 0)::bigint AS requests FROM corrected
