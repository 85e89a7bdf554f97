-- A request that is deleted takes the seconds of its messages along, and one that moves to another dealer or
-- day takes them there, whoever does it. A row that was saved with the column of its newest message and is
-- put back brings them again. What the service itself does to requests fires none of these.
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE FUNCTION count_seconds_of_request() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    INSERT INTO message_seconds_change (dealer_id, request_date, measure, seconds, messages)
    SELECT r.dealer_id, r.request_date, t.measure, t.seconds, sum(r.messages)
    FROM (VALUES (OLD.id, OLD.dealer_id, OLD.request_date, -1),
        (NEW.id, NEW.dealer_id, NEW.request_date, 1)) AS r (id, dealer_id, request_date, messages)
    JOIN message m ON m.request_id = r.id
    CROSS JOIN LATERAL seconds_of_message(m.due_at, m.sent_at, m.delivered_at, m.read_at) t
    GROUP BY 1, 2, 3, 4 HAVING sum(r.messages) <> 0;
    RETURN NULL;
END
$$ $body$;
END
$migration$;

REVOKE EXECUTE ON FUNCTION count_seconds_of_request() FROM PUBLIC;

-- Conditions of the triggers, which name no column, so that other teams may change a column's type.
CREATE FUNCTION is_put_back(one customer_validation_request) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.newest_message_id IS NOT NULL AND one.last_modified_by IS DISTINCT FROM 'api'
$$;
CREATE FUNCTION is_elsewhere(one customer_validation_request, other customer_validation_request)
    RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.dealer_id IS DISTINCT FROM other.dealer_id
        OR one.request_date IS DISTINCT FROM other.request_date OR one.id IS DISTINCT FROM other.id
$$;
GRANT EXECUTE ON FUNCTION is_put_back, is_elsewhere TO PUBLIC;

CREATE TRIGGER count_seconds_of_added_request AFTER INSERT ON customer_validation_request FOR EACH ROW
    WHEN (is_put_back(NEW))
    EXECUTE FUNCTION count_seconds_of_request();
CREATE TRIGGER count_seconds_of_moved_request AFTER UPDATE ON customer_validation_request FOR EACH ROW
    WHEN (is_elsewhere(OLD, NEW))
    EXECUTE FUNCTION count_seconds_of_request();
CREATE TRIGGER count_seconds_of_removed_request AFTER DELETE ON customer_validation_request FOR EACH ROW
    EXECUTE FUNCTION count_seconds_of_request();
CREATE TRIGGER forget_seconds AFTER TRUNCATE ON customer_validation_request
    FOR EACH STATEMENT EXECUTE FUNCTION forget_seconds();
