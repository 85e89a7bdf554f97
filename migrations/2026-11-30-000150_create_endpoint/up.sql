-- The addresses that are told what happens, see `event`.
CREATE TABLE endpoint (
    id UUID PRIMARY KEY,
    -- Empty for head office's.
    dealer_id VARCHAR(10) NOT NULL,
    -- Of an owner's places one is taken by each endpoint, so that of many made at once no more are than may be.
    slot SMALLINT NOT NULL CHECK (slot >= 0),
    url TEXT NOT NULL,
    -- Sealed.
    secret TEXT NOT NULL,
    events TEXT[] NOT NULL,
    note TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- Nothing is told to it; its deliveries are removed in the background, and it with them.
    removed_at TIMESTAMPTZ,
    -- Nothing new is told to it, and what waits stays.
    disabled_at TIMESTAMPTZ,
    -- Its last success, its creation or its enabling.
    alive_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- Failed attempts since its last success.
    failures INTEGER NOT NULL DEFAULT 0,
    -- The lease of one copy of the service, for one call; the epoch rises with every lease.
    epoch BIGINT NOT NULL DEFAULT 0,
    leased_at TIMESTAMPTZ,
    lease_until TIMESTAMPTZ
) WITH (fillfactor = 50);

CREATE UNIQUE INDEX endpoint_slot ON endpoint (dealer_id, slot) WHERE removed_at IS NULL;
