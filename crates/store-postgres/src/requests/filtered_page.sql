-- A page of a dealer's requests with some statuses, newest first, with the total.
--
-- `previous` is the place before the page. The counts tell its day and its distance from either end of that
-- day; the walk starts at the nearer end. The total is in every row, from the same snapshot; an empty page is
-- one row without a request.
--
-- Locks: none. Plan: the index `customer_validation_request_list`, from the day of the place on, only on days
-- on which the counts have such requests, until the page is full.

WITH day AS MATERIALIZED (
\ir filtered_days.sql
),
\ir page_start.sql
, previous AS MATERIALIZED (
    SELECT * FROM known_place
    UNION ALL
    SELECT s.request_date, r.request_time, r.id FROM start s CROSS JOIN LATERAL (
        SELECT r.request_time, r.id FROM customer_validation_request r
        WHERE r.dealer_id = :dealer_id AND r.request_date = s.request_date
            AND s.skipped BETWEEN 1 AND s.rows / 2
            AND
\ir of_statuses.sql
        ORDER BY r.request_time DESC, r.id DESC
        LIMIT 1 OFFSET greatest(s.skipped - 1, 0)) r
    UNION ALL
    SELECT s.request_date, r.request_time, r.id FROM start s CROSS JOIN LATERAL (
        SELECT r.request_time, r.id FROM customer_validation_request r
        WHERE r.dealer_id = :dealer_id AND r.request_date = s.request_date
            AND s.skipped > s.rows / 2
            AND
\ir of_statuses.sql
        ORDER BY r.request_time, r.id
        LIMIT 1 OFFSET s.rows - s.skipped) r
)
SELECT t.total, r.*
FROM (SELECT coalesce(sum(d.rows), 0)::bigint AS total FROM day d) t
LEFT JOIN LATERAL (
    SELECT r.*
    FROM (
        SELECT request_date FROM day
        WHERE request_date <= (SELECT request_date FROM previous)
        ORDER BY request_date DESC
    ) d
    CROSS JOIN LATERAL (
        SELECT
\ir columns.sql
        FROM customer_validation_request r
        WHERE r.dealer_id = :dealer_id AND r.request_date = d.request_date
            AND (r.request_date, r.request_time, r.id) < (
                (SELECT request_date FROM previous),
                (SELECT request_time FROM previous),
                (SELECT id FROM previous))
            AND
\ir of_statuses.sql
        ORDER BY r.request_time DESC, r.id DESC
        LIMIT :most
    ) r
    ORDER BY d.request_date DESC, r.request_time DESC, r.id DESC
    LIMIT :most
) r ON true
ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
