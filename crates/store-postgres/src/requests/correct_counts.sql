-- Puts right what is wrong by one more change. A transaction that changes requests meanwhile appends its
-- own: both are in no snapshot before they are committed.
--
-- Locks: none. Plan: all requests.

WITH difference AS (
\ir differences.sql
), corrected AS (
    INSERT INTO request_count_change (dealer_id, request_date, request_status, whatsapp_status, rows)
    SELECT * FROM difference RETURNING rows
)
SELECT count(*) AS wrong, coalesce(sum(abs(rows)), 0)::bigint AS requests FROM corrected
