-- Changes the settings of a known dealer. Only the named columns change, so that two operators do not undo
-- each other's change.
--
-- Locks: the settings. Plan: by dealer.

WITH changed AS (
    INSERT INTO dealer_settings AS s (
        dealer_id, fonnte_api_key, fonnte_api_url, min_interval_ms, jitter_ms, daily_limit,
        quiet_from, quiet_to, on_unknown, exclusive_device, webhook_secret, default_template)
    SELECT d.dealer_id, :fonnte_api_key, :fonnte_api_url, :min_interval_ms::bigint,
        :jitter_ms::bigint, :daily_limit::int, :quiet_from::time, :quiet_to::time, :on_unknown,
        :exclusive_device::bool, :webhook_secret, :default_template
    FROM dealer_integration.dealers d
    WHERE d.dealer_id = :dealer_id
    ON CONFLICT (dealer_id) DO UPDATE SET
        fonnte_api_key = CASE WHEN 'fonnte_api_key' = ANY (:fields)
            THEN excluded.fonnte_api_key ELSE s.fonnte_api_key END,
        fonnte_api_url = CASE WHEN 'fonnte_api_url' = ANY (:fields)
            THEN excluded.fonnte_api_url ELSE s.fonnte_api_url END,
        min_interval_ms = CASE WHEN 'min_interval_ms' = ANY (:fields)
            THEN excluded.min_interval_ms ELSE s.min_interval_ms END,
        jitter_ms = CASE WHEN 'jitter_ms' = ANY (:fields)
            THEN excluded.jitter_ms ELSE s.jitter_ms END,
        daily_limit = CASE WHEN 'daily_limit' = ANY (:fields)
            THEN excluded.daily_limit ELSE s.daily_limit END,
        quiet_from = CASE WHEN 'quiet_hours' = ANY (:fields)
            THEN excluded.quiet_from ELSE s.quiet_from END,
        quiet_to = CASE WHEN 'quiet_hours' = ANY (:fields)
            THEN excluded.quiet_to ELSE s.quiet_to END,
        on_unknown = CASE WHEN 'on_unknown' = ANY (:fields)
            THEN excluded.on_unknown ELSE s.on_unknown END,
        exclusive_device = CASE WHEN 'exclusive_device' = ANY (:fields)
            THEN excluded.exclusive_device ELSE s.exclusive_device END,
        webhook_secret = CASE WHEN 'webhook_secret' = ANY (:fields)
            THEN excluded.webhook_secret ELSE s.webhook_secret END,
        default_template = CASE WHEN 'default_template' = ANY (:fields)
            THEN excluded.default_template ELSE s.default_template END,
        updated_at = now()
    RETURNING s.dealer_id
)
\ir ../operations/note.sql
