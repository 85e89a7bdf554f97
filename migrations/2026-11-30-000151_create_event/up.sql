-- What happened and is told to endpoints. Triggers write it in the transaction of the change, only where an
-- endpoint wants it, and with its deliveries.
CREATE TABLE event (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The `webhook-id`.
    id UUID NOT NULL DEFAULT gen_random_uuid(),
    kind TEXT NOT NULL,
    -- The dealer that it is about; empty for head office.
    dealer_id VARCHAR(10) NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- What is told once for each kind, where it could be told again: a message, a dealer's last day.
    subject UUID,
    -- Not JSONB, which would sort the keys.
    data JSON NOT NULL,
    -- Behind the keys of `data`, where the kind has one: words of the provider, which an erasure changes.
    reason TEXT
);

CREATE UNIQUE INDEX event_once ON event (subject, kind) WHERE subject IS NOT NULL;
-- For erasures.
CREATE INDEX event_reason ON event (dealer_id, place) WHERE reason IS NOT NULL;

-- One event for one endpoint. No foreign keys, because their checks would lock rows of endpoints in every
-- transaction that tells something: what is old or of a removed endpoint is removed in the background.
CREATE TABLE event_delivery (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL DEFAULT gen_random_uuid(),
    endpoint_id UUID NOT NULL,
    event_place BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'given_up')),
    due_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- When a person asked for an attempt that has not begun; it is made first, and of a disabled endpoint, too.
    asked_at TIMESTAMPTZ,
    -- Failed attempts of the schedule.
    failed INTEGER NOT NULL DEFAULT 0,
    -- [{"at", "status", "error"}], the newest 20, oldest first.
    attempts JSONB NOT NULL DEFAULT '[]'
);

CREATE UNIQUE INDEX event_delivery_id ON event_delivery (id);
CREATE INDEX event_delivery_list ON event_delivery (endpoint_id, place);
CREATE INDEX event_delivery_due ON event_delivery (endpoint_id, due_at) WHERE state = 'pending';
CREATE INDEX event_delivery_asked ON event_delivery (endpoint_id, asked_at)
    WHERE state = 'pending' AND asked_at IS NOT NULL;

-- Whether a dealer's or head office's endpoint wants an event of this kind. PostgreSQL puts it in place of its
-- call.
CREATE FUNCTION wants(one endpoint, dealer_id VARCHAR, kind TEXT) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT one.disabled_at IS NULL AND one.removed_at IS NULL
        AND one.dealer_id IN (dealer_id, '') AND kind = ANY (one.events)
$$;
GRANT EXECUTE ON FUNCTION wants TO PUBLIC;

-- Tells one event. Called by triggers, with their search path and rights.
CREATE FUNCTION tell(what TEXT, dealer VARCHAR, about UUID, told JSON, why TEXT) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH written AS (
        INSERT INTO event (kind, dealer_id, subject, data, reason)
        SELECT what, dealer, about, told, why
        WHERE EXISTS (SELECT FROM endpoint e WHERE wants(e, dealer, what))
        ON CONFLICT (subject, kind) WHERE subject IS NOT NULL DO NOTHING
        RETURNING place
    )
    INSERT INTO event_delivery (endpoint_id, event_place)
    SELECT e.id, w.place FROM written w CROSS JOIN endpoint e WHERE wants(e, dealer, what);
END
$$;
REVOKE EXECUTE ON FUNCTION tell FROM PUBLIC;
