-- Every change of a message's state that endpoints are told of, whichever statement makes it. A message that begins
-- is no change: it waits, or another program puts back what was told long ago.
--
-- One call for a statement, which ends at once where there is no endpoint: 10 µs, and up to 1 µs for each message. A
-- trigger for rows costs 10 µs for each (CPU of the backend, PostgreSQL 15).
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE FUNCTION tell_changed_messages() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    IF NOT EXISTS (SELECT FROM endpoint) THEN
        RETURN NULL;
    END IF;
    WITH told AS MATERIALIZED (
        -- Grouped instead of joined, because a session of the service joins in nested loops.
        SELECT s.id, s.dealer_id, s.request_id, s.state, 'message.' || lower(s.state) AS kind,
            min(s.reason) AS reason
        FROM (
            SELECT id, dealer_id, request_id, state, reason, true AS is_new FROM added
            WHERE state NOT IN ('QUEUED', 'SENDING')
            UNION ALL
            SELECT id, dealer_id, request_id, state, NULL, false FROM removed
            WHERE state NOT IN ('QUEUED', 'SENDING')
        ) s
        GROUP BY s.id, s.dealer_id, s.request_id, s.state HAVING bool_and(s.is_new)
    ), wanted AS MATERIALIZED (
        SELECT t.id, t.kind, e.id AS endpoint_id FROM told t JOIN endpoint e ON wants(e, t.dealer_id, t.kind)
    ), written AS (
        INSERT INTO event (kind, dealer_id, subject, data, reason)
        SELECT t.kind, t.dealer_id, t.id, (
            SELECT row_to_json(data) FROM (
                SELECT t.dealer_id, t.request_id, t.id AS message_id, t.state) data), t.reason
        FROM told t
        WHERE t.id IN (SELECT id FROM wanted)
        ON CONFLICT (subject, kind) WHERE subject IS NOT NULL DO NOTHING
        RETURNING place, subject
    )
    INSERT INTO event_delivery (endpoint_id, event_place)
    SELECT w.endpoint_id, v.place FROM written v JOIN wanted w ON w.id = v.subject;
    RETURN NULL;
END
$$ $body$;
END
$migration$;

REVOKE EXECUTE ON FUNCTION tell_changed_messages() FROM PUBLIC;

CREATE TRIGGER tell_changed_messages AFTER UPDATE ON message
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_messages();
