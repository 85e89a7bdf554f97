-- The names of authors of templates that hold a phone.
--
-- Locks: none. Plan: all templates and versions, which people write.

SELECT t.author FROM template t
WHERE position(:subscriber IN translate(t.author, :between, '')) > 0
UNION
SELECT v.author FROM template_version v
WHERE position(:subscriber IN translate(v.author, :between, '')) > 0
