-- The newest requests of a dealer, each with its newest message.
--
-- Locks: none.
-- Plan: the index `customer_validation_request_list`, in its order; the constant tells the planner that they
-- are few. Messages by their ids.

SELECT
\ir ../requests/columns.sql
    , m.body, m.variables::text AS variables
FROM (
    SELECT * FROM (
        SELECT * FROM customer_validation_request r
        WHERE r.dealer_id = :dealer_id
        ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
        LIMIT 50
    ) r
    ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
    LIMIT :most
) r
LEFT JOIN message m ON m.id = r.newest_message_id
ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC
