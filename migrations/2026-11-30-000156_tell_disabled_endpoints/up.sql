-- An endpoint that is disabled, for whatever reason, is told to its owner's other endpoints and to head office's.
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE FUNCTION tell_disabled_endpoint() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    PERFORM tell('endpoint.disabled', NEW.dealer_id, NULL, row_to_json(data), NULL)
    FROM (SELECT nullif(NEW.dealer_id, '') AS dealer_id, NEW.id AS endpoint_id) data;
    RETURN NULL;
END
$$ $body$;
END
$migration$;

REVOKE EXECUTE ON FUNCTION tell_disabled_endpoint() FROM PUBLIC;

-- A condition that named a column would forbid to change that column's type.
CREATE FUNCTION is_disabled(one endpoint, other endpoint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.disabled_at IS NULL AND other.disabled_at IS NOT NULL AND other.removed_at IS NULL
$$;
GRANT EXECUTE ON FUNCTION is_disabled TO PUBLIC;

CREATE TRIGGER tell_disabled_endpoint AFTER UPDATE ON endpoint FOR EACH ROW
    WHEN (is_disabled(OLD, NEW))
    EXECUTE FUNCTION tell_disabled_endpoint();
