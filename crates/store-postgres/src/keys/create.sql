-- Stores a new key.
--
-- Locks: none.

WITH changed AS (
    INSERT INTO api_key (id, name, print, dealer_id, scopes, expires_at)
    VALUES (:id, :name, :print, :dealer_id, :scopes, :expires_at)
    RETURNING *
), noted AS (
\ir ../operations/note.sql
)
SELECT * FROM changed
