-- The functions of our triggers held the name of our schema: after ALTER SCHEMA … RENAME, or where a copy was
-- restored under another name, they looked for their tables in the old one. Now they look where the table
-- of the trigger is, whatever its schema is called by then. The name that they still hold spares setting
-- a path each time (0.06 ms). Their caller's path plays no part, as before: a function's own SET gives back
-- what was set inside it. Replacing a function waits for nobody who is writing.
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE OR REPLACE FUNCTION count_added_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    INSERT INTO request_count_change
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
        coalesce(whatsapp_status, 'NOT_SENT'), count(*)
    FROM added GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE OR REPLACE FUNCTION count_removed_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    INSERT INTO request_count_change
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
        coalesce(whatsapp_status, 'NOT_SENT'), -count(*)
    FROM removed GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE OR REPLACE FUNCTION count_changed_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    INSERT INTO request_count_change
    SELECT dealer_id, request_date, request_status, whatsapp_status, sum(rows)
    FROM (
        SELECT dealer_id, request_date, coalesce(request_status, 'PENDING') AS request_status,
            coalesce(whatsapp_status, 'NOT_SENT') AS whatsapp_status, 1 AS rows
        FROM added
        UNION ALL
        SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
            coalesce(whatsapp_status, 'NOT_SENT'), -1
        FROM removed
    ) change
    GROUP BY 1, 2, 3, 4 HAVING sum(rows) <> 0;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE OR REPLACE FUNCTION count_no_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    TRUNCATE request_count_change, request_count;
    RETURN NULL;
END
$$ $body$;
END
$migration$;
