-- How many requests there are by weekday, 0 is Monday, and hour; or, `by_hour`, by day since 2000, hour and
-- status.
--
-- Locks: none. Plan: dealer by dealer in the index `customer_validation_request_list`.

WITH dealer AS MATERIALIZED (
\ir dealers_asked.sql
)
SELECT h.day, h.hour, h.whatsapp_status::text, sum(h.rows)::bigint AS rows
FROM dealer d
CROSS JOIN LATERAL (
    SELECT CASE WHEN :by_hour::bool THEN r.request_date - date '2000-01-01'
            ELSE ((r.request_date - date '2000-01-03') % 7 + 7) % 7 END AS day,
        date_part('hour', r.request_time)::integer AS hour,
        CASE WHEN :by_hour THEN coalesce(r.whatsapp_status, 'NOT_SENT') END AS whatsapp_status,
        count(*) AS rows
    FROM customer_validation_request r
    WHERE r.dealer_id = d.dealer_id AND r.request_date BETWEEN :first_day AND :last_day
    GROUP BY 1, 2, 3
) h
GROUP BY 1, 2, 3
