-- The newest requests of all dealers, in one list. As many of each dealer are read as the list is long, and
-- without a filter no more; under one, the days of the range.
--
-- Locks: none.
-- Plan: the index `customer_validation_request_list`, for each dealer in its order. The dealers are found in
-- it too, one look for each.

WITH RECURSIVE dealer AS (
    (SELECT r.dealer_id FROM customer_validation_request r ORDER BY r.dealer_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.dealer_id FROM customer_validation_request r
        WHERE r.dealer_id > d.dealer_id ORDER BY r.dealer_id LIMIT 1)
    FROM dealer d WHERE d.dealer_id IS NOT NULL
)
SELECT r.* FROM dealer d CROSS JOIN LATERAL (
    SELECT
\ir columns.sql
    FROM customer_validation_request r
    WHERE r.dealer_id = d.dealer_id AND r.request_date BETWEEN :first_day AND :last_day
        AND (r.request_date, r.request_time, r.id) < (
            coalesce(:after_date, 'infinity'::date), coalesce(:after_time, '24:00'::time),
            coalesce(:after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
        AND
\ir meant.sql
    ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
    LIMIT :most
) r
ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
LIMIT :most
