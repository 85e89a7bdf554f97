-- Locks the settings of a dealer and reads its quiet hours. No row for an unknown dealer; NULLs for a dealer
-- without settings.
--
-- Locks: settings. Plan: by dealer.

WITH own AS (
    SELECT s.quiet_from, s.quiet_to FROM dealer_settings s
    WHERE s.dealer_id = :dealer_id
    FOR UPDATE OF s
)
SELECT o.quiet_from, o.quiet_to
FROM dealer_integration.dealers d
LEFT JOIN own o ON true
WHERE d.dealer_id = :dealer_id
