-- The number of the dealer's requests with the filter's statuses, for each day that has some.

    SELECT c.request_date, sum(c.rows)::bigint AS rows
    FROM (
        SELECT n.request_date, n.request_status, n.whatsapp_status, n.rows FROM request_count n
        WHERE n.dealer_id = :dealer_id AND n.request_date BETWEEN :first_day AND :last_day
        UNION ALL
        SELECT n.request_date, n.request_status, n.whatsapp_status, n.rows
        FROM request_count_change n
        WHERE n.dealer_id = :dealer_id AND n.request_date BETWEEN :first_day AND :last_day
    ) c
    WHERE (:request_statuses::text[] IS NULL OR c.request_status = ANY (:request_statuses))
        AND (:whatsapp_statuses::text[] IS NULL OR c.whatsapp_status = ANY (:whatsapp_statuses))
    GROUP BY c.request_date HAVING sum(c.rows) > 0
