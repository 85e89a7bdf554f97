-- What was there before changes were recorded. As for the counts of requests: one statement sees the rows and
-- the changes of the same moment, so that nothing is counted twice and nothing is locked.
INSERT INTO message_seconds (dealer_id, request_date, measure, seconds, messages)
SELECT c.dealer_id, c.request_date, c.measure, array_agg(c.seconds ORDER BY c.seconds),
    array_agg(c.messages ORDER BY c.seconds)
FROM (
    SELECT s.dealer_id, s.request_date, s.measure, s.seconds, sum(s.messages)::integer AS messages
    FROM (
        SELECT r.dealer_id, r.request_date, t.measure, t.seconds, count(*) AS messages
        FROM message m
        JOIN customer_validation_request r ON r.id = m.request_id
        CROSS JOIN LATERAL seconds_of_message(m.due_at, m.sent_at, m.delivered_at, m.read_at) t
        GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT n.dealer_id, n.request_date, n.measure, n.seconds, -n.messages
        FROM message_seconds_change n
    ) s
    GROUP BY 1, 2, 3, 4 HAVING sum(s.messages) <> 0
) c
GROUP BY 1, 2, 3;
