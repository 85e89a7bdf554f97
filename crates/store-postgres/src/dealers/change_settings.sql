-- Changes the settings of a known dealer. Only the named columns change, so that two operators do not undo
-- each other's change.
--
-- Locks: the settings. Plan: by dealer.

WITH changed AS (
    INSERT INTO dealer_settings AS s (
        dealer_id,
\each settings {column}
    )
    SELECT d.dealer_id,
\each settings :{column}::{type}
    FROM dealer_integration.dealers d
    WHERE d.dealer_id = :dealer_id
    ON CONFLICT (dealer_id) DO UPDATE SET updated_at = now(),
\each settings {column} = CASE WHEN '{column}' = ANY (:columns) THEN excluded.{column} ELSE s.{column} END
    RETURNING s.dealer_id
)
\ir ../operations/note.sql
