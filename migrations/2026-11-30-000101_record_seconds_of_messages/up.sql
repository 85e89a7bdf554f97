-- Whoever changes the times of messages appends what that changes in the counted seconds. The service's own
-- statements do so themselves, which costs a third of what a trigger does; their sessions say so. The
-- trigger is for the release before and for other programs.
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE FUNCTION count_seconds_of_message() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    -- Whoever deletes the request, or moves it to another day, counts either before or after this.
    PERFORM FROM customer_validation_request r
    WHERE r.id IN (OLD.request_id, NEW.request_id) FOR SHARE;
    INSERT INTO message_seconds_change (dealer_id, request_date, measure, seconds, messages)
    SELECT r.dealer_id, r.request_date, t.measure, t.seconds, sum(t.messages)
    FROM (
        SELECT OLD.request_id AS request_id, s.measure, s.seconds, -1 AS messages
        FROM seconds_of_message(OLD.due_at, OLD.sent_at, OLD.delivered_at, OLD.read_at) s
        UNION ALL
        SELECT NEW.request_id, s.measure, s.seconds, 1
        FROM seconds_of_message(NEW.due_at, NEW.sent_at, NEW.delivered_at, NEW.read_at) s
    ) t
    JOIN customer_validation_request r ON r.id = t.request_id
    GROUP BY 1, 2, 3, 4 HAVING sum(t.messages) <> 0;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE FUNCTION forget_seconds() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    TRUNCATE message_seconds_change, message_seconds;
    RETURN NULL;
END
$$ $body$;
END
$migration$;

REVOKE EXECUTE ON FUNCTION count_seconds_of_message(), forget_seconds() FROM PUBLIC;

-- Conditions of the triggers. PostgreSQL puts them in place of their calls. A condition that named a column
-- would forbid to change that column's type.
CREATE FUNCTION has_seconds(one message) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(one.sent_at, one.delivered_at, one.read_at) IS NOT NULL
$$;
CREATE FUNCTION has_other_seconds(one message, other message) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.sent_at IS DISTINCT FROM other.sent_at
        OR one.delivered_at IS DISTINCT FROM other.delivered_at
        OR one.read_at IS DISTINCT FROM other.read_at
        OR one.due_at IS DISTINCT FROM other.due_at
        OR one.request_id IS DISTINCT FROM other.request_id
$$;
GRANT EXECUTE ON FUNCTION has_seconds, has_other_seconds TO PUBLIC;

CREATE TRIGGER count_seconds_of_added_message AFTER INSERT ON message FOR EACH ROW
    WHEN (has_seconds(NEW))
    EXECUTE FUNCTION count_seconds_of_message();
CREATE TRIGGER count_seconds_of_changed_message AFTER UPDATE ON message FOR EACH ROW
    WHEN (current_setting('customer_service.counts_seconds', true) IS DISTINCT FROM 'on'
        AND has_other_seconds(OLD, NEW))
    EXECUTE FUNCTION count_seconds_of_message();
CREATE TRIGGER count_seconds_of_removed_message AFTER DELETE ON message FOR EACH ROW
    WHEN (has_seconds(OLD))
    EXECUTE FUNCTION count_seconds_of_message();
CREATE TRIGGER forget_seconds AFTER TRUNCATE ON message
    FOR EACH STATEMENT EXECUTE FUNCTION forget_seconds();
