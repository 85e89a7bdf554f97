-- The endpoints of an owner, or one of them, oldest first.
--
-- Locks: none. Plan: by owner and place.

SELECT e.id, e.dealer_id::text, e.url, e.events, e.note, e.created_at, e.disabled_at
FROM endpoint e
WHERE e.dealer_id = :dealer_id AND e.removed_at IS NULL AND (:id::uuid IS NULL OR e.id = :id)
ORDER BY e.created_at, e.id
