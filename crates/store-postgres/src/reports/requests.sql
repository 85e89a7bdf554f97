-- What the requests themselves tell, in one pass over them: how many there are by weekday, 0 is Monday, and
-- hour (or, `by_hour`, by day since 2000, hour and status); the types of units with the most requests, whatever
-- their case and blanks, each as it is written most often; and why the newest messages of requests that show
-- them FAILED are FAILED (those that were cancelled or expired have other states).
--
-- Locks: none.
-- Plan: dealer by dealer by the index `customer_validation_request_list`, then messages by their request.

WITH dealer AS MATERIALIZED (
\ir dealers_asked.sql
), counted AS MATERIALIZED (
    SELECT p.*
    FROM dealer d
    CROSS JOIN LATERAL (
        SELECT GROUPING(r.day) = 0 AS is_hour, GROUPING(r.tipe_unit) = 0 AS is_unit, r.day, r.hour,
            r.whatsapp_status, r.tipe_unit, r.failed_id, count(*) AS rows
        FROM (
            SELECT CASE WHEN :by_hour::bool THEN r.request_date - date '2000-01-01'
                    ELSE ((r.request_date - date '2000-01-03') % 7 + 7) % 7 END AS day,
                date_part('hour', r.request_time)::integer AS hour,
                CASE WHEN :by_hour THEN coalesce(r.whatsapp_status, 'NOT_SENT') END AS whatsapp_status,
                r.tipe_unit, CASE WHEN r.whatsapp_status = 'FAILED' THEN r.id END AS failed_id
            FROM customer_validation_request r
            WHERE r.dealer_id = d.dealer_id AND r.request_date BETWEEN :first_day AND :last_day
        ) r
        GROUP BY GROUPING SETS ((r.day, r.hour, r.whatsapp_status), (r.tipe_unit), (r.failed_id))
    ) p
), unit AS (
    SELECT c.tipe_unit, sum(c.rows) AS rows FROM counted c
    WHERE c.is_unit AND c.tipe_unit IS NOT NULL
    GROUP BY 1
)
SELECT 'hour' AS kind, c.day, c.hour, c.whatsapp_status::text AS words, sum(c.rows)::bigint AS rows
FROM counted c WHERE c.is_hour
GROUP BY c.day, c.hour, c.whatsapp_status
UNION ALL (
    SELECT 'unit', NULL, NULL,
        (array_agg(u.tipe_unit ORDER BY u.rows DESC, u.tipe_unit COLLATE "C"))[1]::text,
        sum(u.rows)::bigint
    FROM unit u
    GROUP BY lower(regexp_replace(u.tipe_unit, '\s+', '', 'g'))
    ORDER BY 5 DESC, 4
    LIMIT :most_units
)
UNION ALL (
    SELECT 'failure', NULL, NULL, m.reason, count(*)
    FROM counted c
    CROSS JOIN LATERAL (
        SELECT m.state, m.reason FROM message m
        WHERE m.request_id = c.failed_id
        ORDER BY m.created_at DESC, m.id DESC LIMIT 1
    ) m
    WHERE c.failed_id IS NOT NULL AND m.state = 'FAILED'
    GROUP BY 4
    ORDER BY 5 DESC, 4
    LIMIT :most_reasons
)
