-- What becomes of accounts, whichever statement learns it: the breaker opens or closes, the quota falls below
-- what the dealer's settings say, the package ends within a week.
--
-- One call for a statement, which ends at once where there is no endpoint: 10 µs, and nothing to be measured for
-- each lane. A trigger for rows with a condition costs 30 µs for a statement, which plans its condition each time
-- (CPU of the backend, PostgreSQL 15).
DO $migration$
DECLARE
    place CONSTANT text := format(
        'LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
BEGIN
    EXECUTE 'CREATE FUNCTION tell_accounts() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    IF NOT EXISTS (SELECT FROM endpoint) THEN
        RETURN NULL;
    END IF;
    PERFORM tell(n.kind, c.dealer_id, n.subject, n.data, n.reason)
    FROM (
        -- Grouped instead of joined, because a session of the service joins in nested loops.
        SELECT l.dealer_id,
            bool_or(l.blocks > 0) FILTER (WHERE l.is_new) AS is_blocked,
            bool_or(l.blocks > 0) FILTER (WHERE NOT l.is_new) AS was_blocked,
            min(l.block_reason) FILTER (WHERE l.is_new) AS block_reason,
            min(l.quota_left) FILTER (WHERE l.is_new) AS quota_left,
            min(l.quota_left) FILTER (WHERE NOT l.is_new) AS quota_before,
            min(l.expires_on) FILTER (WHERE l.is_new) AS expires_on,
            -- A profile is kept.
            min(l.profile_due_at) FILTER (WHERE l.is_new)
                IS DISTINCT FROM min(l.profile_due_at) FILTER (WHERE NOT l.is_new) AS is_profile
        FROM (
            SELECT dealer_id, blocks, block_reason, quota_left, expires_on, profile_due_at,
                true AS is_new FROM added
            UNION ALL
            SELECT dealer_id, blocks, NULL, quota_left, NULL, profile_due_at, false FROM removed
        ) l
        GROUP BY l.dealer_id
    ) c
    CROSS JOIN LATERAL (
        SELECT 'account.blocked' AS kind, NULL::uuid AS subject,
            (SELECT row_to_json(data) FROM (SELECT c.dealer_id) data) AS data, c.block_reason AS reason
        WHERE c.is_blocked AND NOT c.was_blocked
        UNION ALL
        SELECT 'account.recovered', NULL, (SELECT row_to_json(data) FROM (SELECT c.dealer_id) data), NULL
        WHERE c.was_blocked AND NOT c.is_blocked
        UNION ALL
        SELECT 'account.quota_low', NULL, (
            SELECT row_to_json(data) FROM (SELECT c.dealer_id, c.quota_left AS remaining) data), NULL
        FROM (
            SELECT coalesce((
                SELECT s.quota_low_at FROM dealer_settings s WHERE s.dealer_id = c.dealer_id), 100) AS low
        ) s
        WHERE c.quota_left < s.low AND coalesce(c.quota_before >= s.low, true)
        UNION ALL
        -- Once for each last day.
        SELECT 'account.expiring', md5(c.dealer_id || ' ' || c.expires_on)::uuid, (
            SELECT row_to_json(data) FROM (SELECT c.dealer_id, c.expires_on AS expires_at) data), NULL
        WHERE c.is_profile AND c.expires_on BETWEEN (now() AT TIME ZONE INTERVAL '+07:00')::date
            AND (now() AT TIME ZONE INTERVAL '+07:00')::date + 7
    ) n;
    RETURN NULL;
END
$$ $body$;
    EXECUTE 'CREATE FUNCTION tell_added_account() RETURNS trigger ' || place || $body$ AS $$
BEGIN
    IF TG_TABLE_SCHEMA IS DISTINCT FROM current_schema() THEN
        PERFORM set_config('search_path', format('%I, pg_temp', TG_TABLE_SCHEMA), true);
    END IF;
    IF NEW.blocks > 0 THEN
        PERFORM tell('account.blocked', NEW.dealer_id, NULL, row_to_json(data), NEW.block_reason)
        FROM (SELECT NEW.dealer_id) data;
    END IF;
    IF NEW.quota_left < coalesce(
        (SELECT s.quota_low_at FROM dealer_settings s WHERE s.dealer_id = NEW.dealer_id), 100)
    THEN
        PERFORM tell('account.quota_low', NEW.dealer_id, NULL, row_to_json(data), NULL)
        FROM (SELECT NEW.dealer_id, NEW.quota_left AS remaining) data;
    END IF;
    IF NEW.expires_on BETWEEN (now() AT TIME ZONE INTERVAL '+07:00')::date
        AND (now() AT TIME ZONE INTERVAL '+07:00')::date + 7
    THEN
        PERFORM tell('account.expiring', NEW.dealer_id,
            md5(NEW.dealer_id || ' ' || NEW.expires_on)::uuid, row_to_json(data), NULL)
        FROM (SELECT NEW.dealer_id, NEW.expires_on AS expires_at) data;
    END IF;
    RETURN NULL;
END
$$ $body$;
END
$migration$;

REVOKE EXECUTE ON FUNCTION tell_accounts(), tell_added_account() FROM PUBLIC;

-- Whether a lane begins with something known of its account. A condition that named a column would forbid to
-- change that column's type.
CREATE FUNCTION has_account(one lane) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.blocks > 0 OR one.quota_left IS NOT NULL OR one.expires_on IS NOT NULL
$$;
GRANT EXECUTE ON FUNCTION has_account TO PUBLIC;

CREATE TRIGGER tell_added_account AFTER INSERT ON lane FOR EACH ROW
    WHEN (has_account(NEW))
    EXECUTE FUNCTION tell_added_account();
CREATE TRIGGER tell_accounts AFTER UPDATE ON lane
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_accounts();
