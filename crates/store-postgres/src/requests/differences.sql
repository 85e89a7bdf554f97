-- The error of the counts of each dealer, day and pair of statuses, in one snapshot.

    SELECT dealer_id, request_date, request_status, whatsapp_status, sum(rows)::bigint AS rows
    FROM (
        SELECT dealer_id, request_date, coalesce(request_status, 'PENDING') AS request_status,
            coalesce(whatsapp_status, 'NOT_SENT') AS whatsapp_status, count(*) AS rows
        FROM customer_validation_request GROUP BY 1, 2, 3, 4
        UNION ALL SELECT dealer_id, request_date, request_status, whatsapp_status, -rows
        FROM request_count
        UNION ALL SELECT dealer_id, request_date, request_status, whatsapp_status, -rows
        FROM request_count_change
    ) counted
    GROUP BY 1, 2, 3, 4 HAVING sum(rows) <> 0
