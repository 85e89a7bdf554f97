-- What the settings of a dealer lacked. The two secrets are only ever sealed here; NULL: not set.
ALTER TABLE dealer_settings
    ADD COLUMN fonnte_api_key TEXT,
    ADD COLUMN webhook_secret TEXT,
    ADD COLUMN default_template TEXT;

-- When settings that ask for rests were changed last. A copy may remember the old ones for a few
-- seconds more: what it still lets rest then is looked at again soon.
ALTER TABLE lane ADD COLUMN rest_ended_at TIMESTAMPTZ;
