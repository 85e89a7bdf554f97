-- Changes an endpoint: what is null stays.
--
-- Locks: the endpoint. Plan: by its id.

WITH made AS (
    UPDATE endpoint e SET
        url = coalesce(:url::text, e.url),
        events = coalesce(:events::text[], e.events),
        note = CASE WHEN :changes_note::bool THEN :note::text ELSE e.note END,
        disabled_at = CASE WHEN :enabled::bool THEN NULL
            WHEN NOT :enabled::bool THEN coalesce(e.disabled_at, now())
            ELSE e.disabled_at END,
        alive_at = CASE WHEN :enabled::bool AND e.disabled_at IS NOT NULL THEN now() ELSE e.alive_at END,
        failures = CASE WHEN :url IS NOT NULL OR :enabled::bool AND e.disabled_at IS NOT NULL
            THEN 0 ELSE e.failures END
    WHERE e.id = :id AND e.dealer_id = :dealer_id AND e.removed_at IS NULL
    RETURNING e.*
), changed AS (
    SELECT nullif(dealer_id, '') AS dealer_id FROM made
), noted AS (
\ir ../operations/note.sql
)
SELECT id, dealer_id::text, url, events, note, created_at, disabled_at FROM made
