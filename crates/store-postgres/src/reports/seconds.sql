-- How many messages took how long.
--
-- Locks: none. Plan: made for the values, as that of `tallies.sql`.

SELECT s.measure, s.seconds, sum(s.messages)::bigint AS messages
FROM (
    SELECT n.measure, u.seconds, u.messages
    FROM message_seconds n
    CROSS JOIN LATERAL unnest(n.seconds, n.messages) AS u (seconds, messages)
    WHERE (:dealer_id::varchar IS NULL OR n.dealer_id = :dealer_id)
        AND n.request_date BETWEEN :first_day AND :last_day
    UNION ALL
    SELECT n.measure, n.seconds, n.messages
    FROM message_seconds_change n
    WHERE (:dealer_id::varchar IS NULL OR n.dealer_id = :dealer_id)
        AND n.request_date BETWEEN :first_day AND :last_day
) s
GROUP BY 1, 2 HAVING sum(s.messages) <> 0
