-- Makes a text the newest version of a template, where what its author saw is in force and the text is
-- another one. The row of the template gives the number under its lock: whoever waited for it looks at the
-- version that is there by then.
--
-- Locks: the template. Plan: templates by owner and name; those of the owner are counted in the index.

WITH seen AS (
    -- The owner's own, else head office's.
    SELECT t.dealer_id = :dealer_id AS own, t.version FROM template t
    WHERE t.dealer_id IN (:dealer_id, '') AND t.name = :name AND NOT t.removed
    ORDER BY t.dealer_id = :dealer_id DESC LIMIT 1
), met AS (
    SELECT WHERE :unconditional::bool OR (:absent::bool AND NOT EXISTS (SELECT FROM seen)) OR coalesce(
        (SELECT :exists::bool OR s.version = ANY (
            CASE WHEN s.own THEN :own::int[] ELSE :shared::int[] END) FROM seen s),
        :built_in::bool)
), saved AS (
    INSERT INTO template AS t (dealer_id, name, version, body, author)
    SELECT :dealer_id, :name, 1, :body, :audit_actor FROM met
    WHERE :most::bigint > (
        SELECT count(*) FROM template o
        WHERE o.dealer_id = :dealer_id AND NOT o.removed AND o.name <> :name)
    ON CONFLICT (dealer_id, name) DO UPDATE SET
        version = t.version + 1, body = excluded.body, author = excluded.author,
        created_at = now(), removed = false
    WHERE (t.removed OR t.body <> excluded.body) AND (
        :unconditional::bool OR CASE WHEN t.removed
            THEN NOT EXISTS (SELECT FROM seen s WHERE s.own)
            ELSE :exists::bool OR t.version = ANY (:own::int[]) END)
    RETURNING t.*
), versions AS (
    INSERT INTO template_version (dealer_id, name, version, body, author, created_at)
    SELECT dealer_id, name, version, body, author, created_at FROM saved
), changed AS (
    SELECT nullif(dealer_id, '') AS dealer_id FROM saved
), noted AS (
\ir ../operations/note.sql
)
SELECT version FROM saved
