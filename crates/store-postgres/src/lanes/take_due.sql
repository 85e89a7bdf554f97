-- Takes accounts whose profile is due, of dealers that sent something lately.
--
-- Locks: lanes, skipping locked rows.
-- Plan: all lanes, of which there is one for each dealer.

WITH due AS (
    SELECT l.dealer_id FROM lane l
    WHERE l.last_sent_at > now() - make_interval(secs => :active_seconds)
        AND (l.profile_due_at IS NULL OR l.profile_due_at <= now())
    ORDER BY l.profile_due_at NULLS FIRST LIMIT :most
    FOR UPDATE OF l SKIP LOCKED
)
UPDATE lane l SET profile_due_at = now() + make_interval(secs => :lease_seconds)
FROM due d
WHERE l.dealer_id = d.dealer_id
RETURNING l.dealer_id::text
