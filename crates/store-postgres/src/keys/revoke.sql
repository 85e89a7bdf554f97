-- Revokes a key; returns it only where it was not revoked before.
--
-- Locks: the key. Plan: by its id.

WITH changed AS (
    UPDATE api_key SET revoked_at = now()
    WHERE id = :id AND revoked_at IS NULL
    RETURNING *
), noted AS (
\ir ../operations/note.sql
)
SELECT * FROM changed
