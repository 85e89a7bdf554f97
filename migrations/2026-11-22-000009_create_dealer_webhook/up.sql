-- The unguessable part of the addresses to which the provider reports about a dealer.
CREATE TABLE dealer_webhook (
    dealer_id VARCHAR(10) PRIMARY KEY,
    -- As shown to the operator.
    token TEXT NOT NULL,
    -- SHA-256 of the token: by this it is looked up.
    token_print BYTEA NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
