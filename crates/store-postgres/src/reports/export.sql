-- The next part of a dealer's list, without the provider's answers. So many requests are looked at, whether
-- the filter means them or not, so that every part takes about the same time; the last one is returned in any
-- case, because the next part begins behind it.
--
-- Locks: none. Plan: the index `customer_validation_request_list`, in its order.

WITH looked_at AS MATERIALIZED (
    SELECT row_number() OVER () AS number,
\ir ../requests/meant.sql
        AS is_meant,
        NULL::json AS fonnte_response,
\each exported r.{column}
    FROM (
        SELECT r.* FROM customer_validation_request r
        WHERE r.dealer_id = :dealer_id AND r.request_date BETWEEN :first_day AND :last_day
            AND (r.request_date, r.request_time, r.id) < (
                coalesce(:after_date, :last_day), coalesce(:after_time, '24:00'::time),
                coalesce(:after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
        ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
        LIMIT :most
    ) r
)
SELECT (SELECT max(number) FROM looked_at) AS looked_at, l.*
FROM looked_at l
WHERE l.is_meant OR l.number = (SELECT max(number) FROM looked_at)
ORDER BY l.number
