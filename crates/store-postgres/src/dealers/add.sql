-- Adds a dealer of a stand-alone installation. Times of dealers are local times of Asia/Jakarta, whatever
-- the session's time zone is.
--
-- Locks: none.

WITH changed AS (
    INSERT INTO dealer_integration.dealers (
        dealer_id, dealer_name, fonnte_api_key, fonnte_api_url, is_active, created_at, updated_at)
    VALUES (
        :dealer_id, :dealer_name, :fonnte_api_key, :fonnte_api_url, true,
        now() AT TIME ZONE INTERVAL '+07:00', now() AT TIME ZONE INTERVAL '+07:00')
    RETURNING dealer_id
)
\ir ../operations/note.sql
