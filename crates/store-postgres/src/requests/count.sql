-- Counts a dealer's requests of these days, by their statuses.
--
-- One statement reads `request_count` and the changes not added up yet, so that their sum equals the rows at
-- any moment.
--
-- Locks: none. Plan: both by dealer and day.

SELECT c.request_status::text, c.whatsapp_status::text, sum(c.rows)::bigint AS rows
FROM (
    SELECT n.request_status, n.whatsapp_status, n.rows
    FROM request_count n
    WHERE n.dealer_id = :dealer_id AND n.request_date BETWEEN :first_day AND :last_day
    UNION ALL
    SELECT n.request_status, n.whatsapp_status, n.rows
    FROM request_count_change n
    WHERE n.dealer_id = :dealer_id AND n.request_date BETWEEN :first_day AND :last_day
) c
GROUP BY 1, 2
