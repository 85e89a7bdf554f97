-- The keys of callers. Never deleted: the audit names them.
CREATE TABLE api_key (
    -- The public part, 16 hexadecimal digits.
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- A SHA-256; the secret itself is kept nowhere.
    print BYTEA NOT NULL,
    -- NULL: head office.
    dealer_id VARCHAR(10),
    scopes TEXT[] NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    CHECK (octet_length(print) = 32),
    CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write', 'admin']),
    CHECK (dealer_id IS NULL OR NOT scopes @> ARRAY['admin'])
);
