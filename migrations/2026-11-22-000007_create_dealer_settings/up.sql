-- How a dealer wants its messages delivered; NULL: as the service has it. Here and not beside the
-- dealer, whose table another service owns.
CREATE TABLE dealer_settings (
    dealer_id VARCHAR(10) PRIMARY KEY,
    fonnte_api_url TEXT,
    min_interval_ms BIGINT CHECK (min_interval_ms >= 0),
    jitter_ms BIGINT CHECK (jitter_ms >= 0),
    daily_limit INTEGER CHECK (daily_limit >= 0),
    -- Local times of Asia/Jakarta.
    quiet_from TIME,
    quiet_to TIME,
    on_unknown TEXT CHECK (on_unknown IN ('resend', 'hold')),
    exclusive_device BOOLEAN NOT NULL DEFAULT false,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK ((quiet_from IS NULL) = (quiet_to IS NULL) AND quiet_from <> quiet_to)
);
