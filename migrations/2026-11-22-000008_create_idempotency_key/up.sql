-- Which request a caller's key stands for, for 24 hours. Written with the request or not at all.
CREATE TABLE idempotency_key (
    dealer_id VARCHAR(10) NOT NULL,
    key VARCHAR(255) NOT NULL,
    -- SHA-256 of the body's JSON value in a canonical form.
    body_print BYTEA NOT NULL,
    request_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (dealer_id, key)
);

-- Old keys are swept.
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
