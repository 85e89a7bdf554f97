-- A page of a search. No count tells how many requests of a day match, so a later page reads all earlier
-- ones.
--
-- Locks: none. Plan: the index `customer_validation_request_list`, day by day, until the page is full.

WITH day AS MATERIALIZED (
\ir filtered_days.sql
)
SELECT r.*
FROM (
    SELECT request_date FROM day
    WHERE request_date <= coalesce(:after_date, :last_day)
    ORDER BY request_date DESC
) d
CROSS JOIN LATERAL (
    SELECT
\ir columns.sql
    FROM customer_validation_request r
    WHERE r.dealer_id = :dealer_id AND r.request_date = d.request_date
        AND (r.request_date, r.request_time, r.id) < (
            coalesce(:after_date, 'infinity'::date), coalesce(:after_time, '24:00'::time),
            coalesce(:after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
        AND
\ir meant.sql
    ORDER BY r.request_time DESC, r.id DESC
    LIMIT :most::bigint + :before::bigint
) r
ORDER BY d.request_date DESC, r.request_time DESC, r.id DESC
LIMIT :most OFFSET :before
