-- Why the database is unfit for the service.
--
-- Locks: none. Plan: catalogs only; needs no right to any table.

SELECT 'encoding' AS kind, '' AS place, current_setting('server_encoding') AS name, 0 AS width,
    0 AS needed
UNION ALL
SELECT 'narrow', format('%I.%I', n.nspname, c.relname), a.attname, a.atttypmod - 4, w.needed
FROM unnest(:schemas::text[], :tables::text[], :columns::text[], :widths::int[]) AS w (schema, place, name, needed)
JOIN pg_namespace n ON n.nspname = coalesce(nullif(w.schema, ''), :schema::text)
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.place AND c.relkind IN ('r', 'p')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.name AND NOT a.attisdropped
WHERE a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype)
    AND a.atttypmod > 4 AND a.atttypmod - 4 < w.needed
UNION ALL
-- A trigger before the insert may set it.
SELECT 'required', format('%I.%I', n.nspname, c.relname), a.attname, 0, 0
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = :requests AND c.relkind IN ('r', 'p')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = :schema AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
    AND a.attname <> ALL (:filled_in::text[])
    AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 7 = 7)
UNION ALL
SELECT 'right', format('%I.%I', n.nspname, c.relname), r.name, 0, 0
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ANY (:written::text[])
CROSS JOIN unnest(:rights::text[]) AS r (name)
WHERE n.nspname = :schema AND NOT has_any_column_privilege(c.oid, r.name)
UNION ALL
SELECT 'right', format('%I.%I', n.nspname, c.relname), 'SELECT', 0, 0
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ANY (:read::text[])
WHERE n.nspname = :schema AND NOT has_any_column_privilege(c.oid, 'SELECT')
UNION ALL
SELECT 'right', format('%I.%I', n.nspname, c.relname), 'DELETE', 0, 0
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ANY (:emptied::text[])
WHERE n.nspname = :schema AND NOT has_table_privilege(c.oid, 'DELETE')
UNION ALL
SELECT DISTINCT 'function', format('%I.%I()', home.nspname, p.proname), s.name, 0, 0
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid
JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D'
-- A function that uses TG_TABLE_SCHEMA follows its table into a renamed schema, as ours do.
JOIN pg_proc p ON p.oid = t.tgfoid AND strpos(p.prosrc, 'TG_TABLE_SCHEMA') = 0
JOIN pg_namespace home ON home.oid = p.pronamespace
CROSS JOIN unnest(p.proconfig) AS setting
CROSS JOIN LATERAL (
    SELECT btrim(part, ' "') AS name
    FROM unnest(string_to_array(split_part(setting, '=', 2), ',')) AS part
) s
WHERE n.nspname = :schema AND setting LIKE 'search\_path=%' AND s.name NOT IN ('', '$user', 'pg_temp')
    AND NOT EXISTS (SELECT FROM pg_namespace other WHERE other.nspname = s.name)
ORDER BY 1, 2, 3
