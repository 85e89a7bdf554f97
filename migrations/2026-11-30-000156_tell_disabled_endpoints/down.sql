DROP TRIGGER tell_disabled_endpoint ON endpoint;
DROP FUNCTION tell_disabled_endpoint(), is_disabled;
