-- Deletes reports that are too old, a batch at once.
--
-- Locks: events, skipping locked rows. Plan: the index of the time of arrival.

WITH old AS (
    SELECT e.id FROM webhook_event e
    WHERE e.received_at <= now() - make_interval(secs => :lifetime_seconds)
    LIMIT :most
    FOR UPDATE OF e SKIP LOCKED
)
DELETE FROM webhook_event e USING old o WHERE e.id = o.id
