-- The release before erases a person without knowing `message.variables`, which hold texts given for the person.
-- The service's own sessions erase them themselves, and say so by the setting; no other session may leave them.
CREATE FUNCTION forget_variables() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.variables := NULL;
    RETURN NEW;
END
$$;

-- A condition that named a column would forbid to change that column's type.
CREATE FUNCTION keeps_variables(one message) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.target = '[dihapus]' AND one.variables IS NOT NULL
$$;
GRANT EXECUTE ON FUNCTION keeps_variables TO PUBLIC;

CREATE TRIGGER forget_variables BEFORE UPDATE ON message FOR EACH ROW
    WHEN (current_setting('customer_service.counts_seconds', true) IS DISTINCT FROM 'on'
        AND keeps_variables(NEW))
    EXECUTE FUNCTION forget_variables();
