-- Makes a delivery due at once. The attempt that is being made, if any, is not the one that was asked for.
--
-- Locks: the delivery. Plan: by its id.

WITH made AS (
    UPDATE event_delivery d SET
        failed = CASE WHEN d.state = 'pending' THEN d.failed ELSE 0 END,
        state = 'pending', due_at = now(), asked_at = clock_timestamp()
    FROM endpoint e
    WHERE d.id = :delivery_id AND d.endpoint_id = :id
        AND e.id = d.endpoint_id AND e.dealer_id = :dealer_id AND e.removed_at IS NULL
    RETURNING d.*, e.dealer_id
), changed AS (
    SELECT nullif(dealer_id, '') AS dealer_id FROM made
), noted AS (
\ir ../operations/note.sql
)
SELECT d.place, d.id, v.id AS event_id, v.kind, v.created_at, d.state, d.due_at, d.attempts::text
FROM made d JOIN event v ON v.place = d.event_place
