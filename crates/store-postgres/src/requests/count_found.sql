-- Counts the requests that a search finds, by reading them.
--
-- Locks: none. Plan: the index `customer_validation_request_list`, day by day.

WITH day AS MATERIALIZED (
\ir filtered_days.sql
)
SELECT count(*) AS rows FROM day d
JOIN customer_validation_request r ON r.request_date = d.request_date AND r.dealer_id = :dealer_id
WHERE
\ir meant.sql
