-- By how many messages the counted seconds of each dealer, day and measure are wrong, in one snapshot.

    SELECT dealer_id, request_date, measure, seconds, sum(messages)::integer AS messages
    FROM (
        SELECT r.dealer_id, r.request_date, t.measure, t.seconds, count(*) AS messages
        FROM message m
        JOIN customer_validation_request r ON r.id = m.request_id
        CROSS JOIN LATERAL seconds_of_message(m.due_at, m.sent_at, m.delivered_at, m.read_at) t
        GROUP BY 1, 2, 3, 4
        UNION ALL SELECT n.dealer_id, n.request_date, n.measure, u.seconds, -u.messages
        FROM message_seconds n
        CROSS JOIN LATERAL unnest(n.seconds, n.messages) AS u (seconds, messages)
        UNION ALL SELECT dealer_id, request_date, measure, seconds, -messages
        FROM message_seconds_change
    ) counted
    GROUP BY 1, 2, 3, 4 HAVING sum(messages) <> 0
