-- Queues a test for an endpoint, whatever it wants.
--
-- Locks: none. Plan: by its id.

WITH asked AS (
    SELECT e.id, e.dealer_id FROM endpoint e
    WHERE e.id = :id AND e.dealer_id = :dealer_id AND e.removed_at IS NULL
), told AS (
    INSERT INTO event (kind, dealer_id, data)
    SELECT :kind::text, a.dealer_id, (
        SELECT row_to_json(data) FROM (
            SELECT nullif(a.dealer_id, '') AS dealer_id, a.id AS endpoint_id) data)
    FROM asked a
    RETURNING *
), made AS (
    INSERT INTO event_delivery (endpoint_id, event_place, asked_at)
    SELECT a.id, t.place, clock_timestamp() FROM asked a, told t
    RETURNING *
), changed AS (
    SELECT nullif(dealer_id, '') AS dealer_id FROM told
), noted AS (
\ir ../operations/note.sql
)
SELECT d.place, d.id, v.id AS event_id, v.kind, v.created_at, d.state, d.due_at, d.attempts::text
FROM made d JOIN told v ON v.place = d.event_place
