-- Counts the requests of a window of moments by dealer, and of these the early ones. Ids begin with the moment at
-- which they were made, so that a window is a range of the primary key, and costs what came in during it.
--
-- Locks: none. Plan: the primary key.

SELECT r.dealer_id, count(*) FILTER (WHERE r.id < :settled)::bigint AS settled, count(*)::bigint AS rows
FROM customer_validation_request r
WHERE r.id >= :first AND r.id < :last
GROUP BY r.dealer_id
