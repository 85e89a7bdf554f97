-- Takes accounts whose profile is due, of dealers that sent something lately or have an endpoint.
--
-- Locks: lanes, skipping locked rows.
-- Plan: all lanes, of which there is one for each dealer; endpoints by their owner.

WITH due AS (
    SELECT l.dealer_id FROM lane l
    WHERE (l.last_sent_at > now() - make_interval(secs => :active_seconds) OR EXISTS (
            SELECT FROM endpoint e
            WHERE e.dealer_id = l.dealer_id AND e.removed_at IS NULL AND e.disabled_at IS NULL))
        AND (l.profile_due_at IS NULL OR l.profile_due_at <= now())
    ORDER BY l.profile_due_at NULLS FIRST LIMIT :most
    FOR UPDATE OF l SKIP LOCKED
)
UPDATE lane l SET profile_due_at = now() + make_interval(secs => :lease_seconds)
FROM due d
WHERE l.dealer_id = d.dealer_id
RETURNING l.dealer_id::text
