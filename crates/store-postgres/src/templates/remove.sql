-- Removes a template, where what its author saw is in force. Its row stays, and so do its versions.
--
-- Locks: the template. Plan: by owner and name.

WITH removed AS (
    UPDATE template t SET removed = true
    WHERE t.dealer_id = :dealer_id AND t.name = :name AND NOT t.removed
        AND (:unconditional::bool OR :exists::bool OR t.version = ANY (:own::int[]))
    RETURNING t.*
), changed AS (
    SELECT nullif(dealer_id, '') AS dealer_id FROM removed
), noted AS (
\ir ../operations/note.sql
)
SELECT version FROM removed
