-- The audit lines of some dealers, and of none, that hold a phone, or are about some requests and name
-- the call.
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
