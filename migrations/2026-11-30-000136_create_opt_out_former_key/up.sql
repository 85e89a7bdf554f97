-- The keys of prints that came from keys of SECRETS_KEY which are gone, each sealed under one that is there: erased
-- persons are known by them.
CREATE TABLE opt_out_former_key (
    -- A digest by which a key is known.
    id BYTEA PRIMARY KEY CHECK (octet_length(id) = 32),
    sealed BYTEA NOT NULL
);
