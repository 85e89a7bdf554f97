-- Why the newest messages of requests that show them FAILED are FAILED; those that were cancelled or expired
-- have other states.
--
-- Locks: none.
-- Plan: dealer by dealer by the index `customer_validation_request_list`, then messages by their request.

WITH dealer AS MATERIALIZED (
\ir dealers_asked.sql
)
SELECT m.reason, count(*) AS rows
FROM dealer d
CROSS JOIN LATERAL (
    SELECT r.id FROM customer_validation_request r
    WHERE r.dealer_id = d.dealer_id AND r.request_date BETWEEN :first_day AND :last_day
        AND r.whatsapp_status = 'FAILED'
    OFFSET 0
) r
CROSS JOIN LATERAL (
    SELECT m.state, m.reason FROM message m
    WHERE m.request_id = r.id
    ORDER BY m.created_at DESC, m.id DESC LIMIT 1
) m
WHERE m.state = 'FAILED'
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT :most
