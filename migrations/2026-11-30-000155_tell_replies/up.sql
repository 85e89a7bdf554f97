-- Replies, and phones that are opted out or in, whichever statement does it.
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE FUNCTION tell_reply() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    IF NOT EXISTS (SELECT FROM endpoint) THEN
        RETURN NULL;
    END IF;
    PERFORM tell('reply.received', NEW.dealer_id, NEW.id, row_to_json(data), NULL)
    FROM (SELECT NEW.dealer_id, NEW.id AS reply_id, NEW.request_id) data;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE FUNCTION tell_opt_out() RETURNS trigger ' || place || $body$ AS $$
DECLARE
    -- An erased person who opts in again is no row any more. No variable has the type of a table: it would be
    -- looked for in the schema that the function names, before its path is set.
    dealer TEXT := CASE WHEN TG_OP = 'DELETE' THEN OLD.dealer_id ELSE NEW.dealer_id END;
    is_out BOOLEAN := CASE WHEN TG_OP = 'DELETE' THEN false ELSE NEW.opted_out END;
    by_whom TEXT := CASE WHEN TG_OP = 'DELETE' THEN 'manual' ELSE NEW.origin END;
    newest UUID;
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    IF NOT EXISTS (SELECT FROM endpoint e WHERE wants(e, dealer, 'opt_out.changed')) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        -- By the reply of this transaction, if any.
        SELECT 'reply', y.request_id INTO by_whom, newest FROM reply y
        WHERE y.dealer_id = dealer AND y.received_at = now()
        ORDER BY y.place DESC LIMIT 1;
        by_whom := coalesce(by_whom, 'manual');
    ELSE
        -- As a reply names its request, by the index of phones.
        SELECT r.id INTO newest FROM customer_validation_request r
        WHERE regexp_replace(regexp_replace(r.no_telp, '[^0-9+]', '', 'g'), '^(([+]|00)?620*|0)?8', '08')
                = NEW.phone AND r.no_telp <> '[dihapus]'
            AND r.dealer_id = dealer
        ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC LIMIT 1;
    END IF;
    PERFORM tell('opt_out.changed', dealer, NULL, row_to_json(data), NULL)
    FROM (SELECT dealer AS dealer_id, newest AS request_id, is_out AS opted_out, by_whom AS origin) data;
    RETURN NULL;
END
$$ $body$;
END
$migration$;

REVOKE EXECUTE ON FUNCTION tell_reply(), tell_opt_out() FROM PUBLIC;

-- A condition that named a column would forbid to change that column's type.
CREATE FUNCTION is_opted_out(one opt_out) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.opted_out
$$;
CREATE FUNCTION is_turned(one opt_out, other opt_out) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.opted_out <> other.opted_out
$$;
GRANT EXECUTE ON FUNCTION is_opted_out, is_turned TO PUBLIC;

CREATE TRIGGER tell_reply AFTER INSERT ON reply FOR EACH ROW EXECUTE FUNCTION tell_reply();
CREATE TRIGGER tell_added_opt_out AFTER INSERT ON opt_out FOR EACH ROW
    WHEN (is_opted_out(NEW))
    EXECUTE FUNCTION tell_opt_out();
CREATE TRIGGER tell_changed_opt_out AFTER UPDATE ON opt_out FOR EACH ROW
    WHEN (is_turned(OLD, NEW))
    EXECUTE FUNCTION tell_opt_out();
CREATE TRIGGER tell_removed_opt_out AFTER DELETE ON opt_out FOR EACH ROW
    WHEN (is_opted_out(OLD))
    EXECUTE FUNCTION tell_opt_out();
