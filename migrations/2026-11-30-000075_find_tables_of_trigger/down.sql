DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE OR REPLACE FUNCTION count_added_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    INSERT INTO request_count_change
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
        coalesce(whatsapp_status, 'NOT_SENT'), count(*)
    FROM added GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE OR REPLACE FUNCTION count_removed_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    INSERT INTO request_count_change
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
        coalesce(whatsapp_status, 'NOT_SENT'), -count(*)
    FROM removed GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE OR REPLACE FUNCTION count_changed_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
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
    TRUNCATE request_count_change, request_count;
    RETURN NULL;
END
$$ $body$;
END
$migration$;
