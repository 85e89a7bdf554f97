-- The newest deliveries of an endpoint.
--
-- Locks: none. Plan: by endpoint and place, from the newest on; events by their places.

SELECT d.place, d.id, v.id AS event_id, v.kind, v.created_at, d.state, d.due_at, d.attempts::text
FROM event_delivery d
JOIN event v ON v.place = d.event_place
WHERE d.endpoint_id = :id AND d.place < :after
ORDER BY d.place DESC LIMIT :most
