ALTER TABLE lane DROP COLUMN rest_ended_at;
ALTER TABLE dealer_settings
    DROP COLUMN fonnte_api_key,
    DROP COLUMN webhook_secret,
    DROP COLUMN default_template;
