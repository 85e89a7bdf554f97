-- Removes an endpoint. Its row stays, without what it said, until its deliveries are removed.
--
-- Locks: the endpoint. Plan: by its id.

WITH made AS (
    UPDATE endpoint e SET removed_at = now(), url = '', secret = '', note = NULL, lease_until = NULL
    WHERE e.id = :id AND e.dealer_id = :dealer_id AND e.removed_at IS NULL
    RETURNING e.*
), changed AS (
    SELECT nullif(dealer_id, '') AS dealer_id FROM made
), noted AS (
\ir ../operations/note.sql
)
SELECT count(*) AS rows FROM made
