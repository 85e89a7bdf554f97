-- The audit lines of these dealers, or of no dealer, that hold a phone. Also those that are about one of these
-- requests and hold the id of an HTTP request.
--
-- Locks: none. Plan: the audit by dealer.

WITH line AS (
    SELECT a.*,
        a.detail LIKE 'request %' AND substr(a.detail, 9, 36) = ANY (:requests::text[]) AS theirs
    FROM audit a
    WHERE a.dealer_id = ANY (:dealers::varchar[]) OR a.dealer_id IS NULL
)
SELECT a.id, a.actor, a.request_id, a.detail, a.theirs FROM line a
WHERE a.theirs AND a.request_id IS NOT NULL
    OR position(:subscriber IN translate(a.actor, :between, '')) > 0
    OR position(:subscriber IN translate(a.request_id, :between, '')) > 0
    OR position(:subscriber IN translate(a.detail, :between, '')) > 0
