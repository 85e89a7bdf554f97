-- The types of units with the most requests, whatever their case and blanks; each as it is written most often.
--
-- Locks: none. Plan: dealer by dealer by the index `customer_validation_request_list`.

WITH dealer AS MATERIALIZED (
\ir dealers_asked.sql
)
SELECT (array_agg(u.tipe_unit ORDER BY u.rows DESC, u.tipe_unit COLLATE "C"))[1]::text AS unit_type,
    sum(u.rows)::bigint AS rows
FROM (
    SELECT p.tipe_unit, sum(p.rows) AS rows
    FROM dealer d
    CROSS JOIN LATERAL (
        SELECT r.tipe_unit, count(*) AS rows
        FROM customer_validation_request r
        WHERE r.dealer_id = d.dealer_id AND r.request_date BETWEEN :first_day AND :last_day
            AND r.tipe_unit IS NOT NULL
        GROUP BY 1
    ) p
    GROUP BY 1
) u
GROUP BY lower(regexp_replace(u.tipe_unit, '\s+', '', 'g'))
ORDER BY 2 DESC, 1
LIMIT :most
