-- Every statement that changes requests, ours or another program's, appends here by how much it
-- changes the number of requests of a dealer, day and pair of statuses. Appending makes nobody wait,
-- as counters would; the service adds the changes up in the background, and readers add what is
-- still here. A statement and its changes are committed together, so that the sum is exact at any
-- moment.
CREATE TABLE request_count_change (
    dealer_id VARCHAR(10) NOT NULL,
    request_date DATE NOT NULL,
    -- A missing status is that of a waiting message.
    request_status VARCHAR(20) NOT NULL,
    whatsapp_status VARCHAR(20) NOT NULL,
    -- Below zero: so many less.
    rows BIGINT NOT NULL
) WITH (
    -- A queue: what vacuum leaves is read again and again.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000
);

CREATE INDEX request_count_change_dealer ON request_count_change (dealer_id, request_date);

-- Whoever may write requests need not be allowed to write here. The functions are bound to this
-- schema, whatever search path their caller has.
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE FUNCTION count_added_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    INSERT INTO request_count_change
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
        coalesce(whatsapp_status, 'NOT_SENT'), count(*)
    FROM added GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE FUNCTION count_removed_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    INSERT INTO request_count_change
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
        coalesce(whatsapp_status, 'NOT_SENT'), -count(*)
    FROM removed GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE FUNCTION count_changed_requests() RETURNS trigger ' || place || $body$ AS $$
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
    EXECUTE 'CREATE FUNCTION count_no_requests() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    TRUNCATE request_count_change;
    RETURN NULL;
END
$$ $body$;
END
$migration$;

REVOKE EXECUTE ON FUNCTION count_added_requests(), count_removed_requests(),
    count_changed_requests(), count_no_requests() FROM PUBLIC;

-- Waits for whoever is writing and keeps others from writing, but only for this moment: the rows
-- that exist already are counted by the next migration.
CREATE TRIGGER count_added_requests AFTER INSERT ON customer_validation_request
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_added_requests();
CREATE TRIGGER count_removed_requests AFTER DELETE ON customer_validation_request
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_removed_requests();
CREATE TRIGGER count_changed_requests AFTER UPDATE ON customer_validation_request
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_requests();
CREATE TRIGGER count_no_requests AFTER TRUNCATE ON customer_validation_request
    FOR EACH STATEMENT EXECUTE FUNCTION count_no_requests();
