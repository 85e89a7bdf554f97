-- Sets the key of a dealer. Without an address the old one stays.
--
-- Locks: the dealer. Plan: by its number.

WITH changed AS (
    UPDATE dealer_integration.dealers d SET
        fonnte_api_key = :fonnte_api_key,
        fonnte_api_url = coalesce(:fonnte_api_url, d.fonnte_api_url),
        updated_at = now() AT TIME ZONE INTERVAL '+07:00'
    WHERE d.dealer_id = :dealer_id
    RETURNING d.dealer_id
)
\ir ../operations/note.sql
