-- The dealers' numbers of one page, and how many dealers have a valid number.
--
-- Locks: none. Plan: all dealers.

WITH known AS (
    SELECT d.dealer_id::text FROM dealer_integration.dealers d
    WHERE char_length(d.dealer_id) BETWEEN 4 AND 10 AND d.dealer_id ~ '\S'
        AND d.dealer_id !~ '[[:cntrl:]]'
)
SELECT
    ARRAY(SELECT dealer_id FROM known ORDER BY dealer_id
        LIMIT :size OFFSET :skipped) AS ids,
    (SELECT count(*) FROM known) AS total
