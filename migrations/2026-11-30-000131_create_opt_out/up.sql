-- Who wants no messages of a dealer, and who wants them again.
CREATE TABLE opt_out (
    -- In the order of the changes: a change gets a new place.
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id VARCHAR(10) NOT NULL,
    -- As in `message.target`: 08…. Of an erased person only the print is left.
    phone VARCHAR(20),
    -- SHA-256 over a key and the phone.
    phone_print BYTEA,
    opted_out BOOLEAN NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('reply', 'manual')),
    note TEXT,
    -- When it was stored.
    changed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- When it was said: a reply that was written before changes nothing.
    said_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK ((phone IS NULL) <> (phone_print IS NULL))
);

CREATE UNIQUE INDEX opt_out_phone ON opt_out (dealer_id, phone) WHERE phone IS NOT NULL;
CREATE UNIQUE INDEX opt_out_print ON opt_out (dealer_id, phone_print) WHERE phone_print IS NOT NULL;
CREATE INDEX opt_out_list ON opt_out (dealer_id, place) WHERE opted_out;

-- The key of the prints where the service has no key of its own.
CREATE TABLE opt_out_key (
    key BYTEA PRIMARY KEY CHECK (octet_length(key) = 32)
);
INSERT INTO opt_out_key (key)
SELECT sha256(convert_to(
    gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));
