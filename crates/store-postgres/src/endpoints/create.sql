-- Makes an endpoint in the first free place of its owner. Of many at once two never take the same one: a
-- statement that waited for it makes none. The dealer's account is watched from now on.
--
-- Locks: none. Plan: by owner and place.

WITH made AS (
    INSERT INTO endpoint (id, dealer_id, slot, url, secret, events, note)
    SELECT :id::uuid, :dealer_id::varchar, s.slot, :url::text, :secret::text, :events::text[], :note::text
    FROM generate_series(0, :most::int - 1) AS s (slot)
    WHERE NOT EXISTS (
        SELECT FROM endpoint e
        WHERE e.dealer_id = :dealer_id AND e.slot = s.slot AND e.removed_at IS NULL)
    ORDER BY s.slot LIMIT 1
    ON CONFLICT (dealer_id, slot) WHERE removed_at IS NULL DO NOTHING
    RETURNING *
), watched AS (
    INSERT INTO lane (dealer_id) SELECT m.dealer_id FROM made m WHERE m.dealer_id <> ''
    ON CONFLICT (dealer_id) DO NOTHING
), changed AS (
    SELECT nullif(dealer_id, '') AS dealer_id FROM made
), noted AS (
\ir ../operations/note.sql
)
SELECT id, dealer_id::text, url, events, note, created_at, disabled_at FROM made
