-- Dealers who may need somebody: see `domain::ports::Troubles`.
--
-- Locks: none.
-- Plan: all lanes, of which there is one for each dealer; queued messages and those whose outcome is unknown
-- by indexes of their own, so that history plays no part.

WITH unknown AS (
    SELECT m.dealer_id, count(*) AS requests
    FROM message m
    JOIN customer_validation_request r ON r.id = m.request_id AND r.newest_message_id = m.id
    WHERE m.state = 'UNKNOWN' AND m.unknowns > 0 AND (:dealer_id::varchar IS NULL OR m.dealer_id = :dealer_id)
    GROUP BY m.dealer_id
), due AS (
    SELECT m.dealer_id, count(*) AS waiting, min(m.due_at) AS oldest_due_at
    FROM message m
    WHERE m.state = 'QUEUED' AND m.sent_at IS NULL AND m.failed_at IS NULL AND m.due_at <= now()
        AND (:dealer_id IS NULL OR m.dealer_id = :dealer_id)
    GROUP BY m.dealer_id
), account AS (
    SELECT l.*, coalesce(s.quota_low_at, :low_quota::bigint) AS quota_low_at
    FROM lane l LEFT JOIN dealer_settings s ON s.dealer_id = l.dealer_id
    WHERE :dealer_id IS NULL OR l.dealer_id = :dealer_id
)
SELECT coalesce(a.dealer_id, u.dealer_id, d.dealer_id)::text AS dealer_id,
    n.dealer_name::text AS dealer_name,
    CASE WHEN a.blocks > 0 THEN a.blocked_since END AS blocked_since,
    CASE WHEN a.blocks > 0 THEN a.block_reason END AS block_reason,
    a.quota_left, a.quota_at, coalesce(a.quota_low_at, :low_quota) AS quota_low_at, a.expires_on,
    coalesce(d.waiting, 0) AS waiting, d.oldest_due_at,
    CASE WHEN d.waiting > 0
        THEN greatest(d.oldest_due_at, a.aging_from, a.rest_until, a.last_sent_at)
    END AS stands_since,
    coalesce(u.requests, 0) AS unknown
FROM account a
FULL JOIN unknown u ON u.dealer_id = a.dealer_id
FULL JOIN due d ON d.dealer_id = coalesce(a.dealer_id, u.dealer_id)
LEFT JOIN dealer_integration.dealers n ON n.dealer_id = coalesce(a.dealer_id, u.dealer_id, d.dealer_id)
WHERE u.requests > 0 OR d.waiting > 0 OR a.blocks > 0 OR a.quota_left < a.quota_low_at OR a.expires_on <= :ends_by
ORDER BY 1
