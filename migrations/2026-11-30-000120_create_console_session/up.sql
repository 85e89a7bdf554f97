-- The sessions of people who logged in to the console. They are of a key, and over when it is.
CREATE TABLE console_session (
    -- A SHA-256; the token itself is kept nowhere.
    print BYTEA PRIMARY KEY,
    key_id TEXT NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    CHECK (octet_length(print) = 32)
);

-- Whoever logs in forgets those that are over.
CREATE INDEX console_session_over ON console_session (ends_at);
