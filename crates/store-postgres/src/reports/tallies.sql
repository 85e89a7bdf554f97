-- How many requests there are on each day and, apart from that, of each dealer, by their status.
--
-- Locks: none. Plan: made for the values. Of one dealer the counts by dealer and day, of all of them the
-- whole table.

SELECT c.request_date, c.dealer_id::text, d.dealer_name::text, c.whatsapp_status::text, c.rows
FROM (
    SELECT n.request_date, n.dealer_id, n.whatsapp_status, sum(n.rows)::bigint AS rows
    FROM (
        SELECT n.dealer_id, n.request_date, n.whatsapp_status, n.rows FROM request_count n
        WHERE (:dealer_id::varchar IS NULL OR n.dealer_id = :dealer_id)
            AND n.request_date BETWEEN :first_day AND :last_day
        UNION ALL
        SELECT n.dealer_id, n.request_date, n.whatsapp_status, n.rows FROM request_count_change n
        WHERE (:dealer_id::varchar IS NULL OR n.dealer_id = :dealer_id)
            AND n.request_date BETWEEN :first_day AND :last_day
    ) n
    GROUP BY GROUPING SETS ((n.request_date, n.whatsapp_status), (n.dealer_id, n.whatsapp_status))
    HAVING sum(n.rows) <> 0
) c
LEFT JOIN dealer_integration.dealers d ON d.dealer_id = c.dealer_id
