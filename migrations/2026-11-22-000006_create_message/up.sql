-- The outbox and, once a message is finished, its history.
CREATE TABLE message (
    id UUID PRIMARY KEY,
    -- No foreign key: other programs may delete requests as they always could.
    request_id UUID NOT NULL,
    dealer_id VARCHAR(10) NOT NULL,
    kind TEXT NOT NULL,
    -- Live messages (0) go before bulk (1).
    priority SMALLINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'QUEUED' CHECK (state IN (
        'QUEUED', 'SENDING', 'SENT', 'DELIVERED', 'READ',
        'FAILED', 'UNKNOWN', 'CANCELLED', 'EXPIRED')),
    template TEXT NOT NULL,
    body TEXT NOT NULL,
    target VARCHAR(20) NOT NULL,
    -- When it may first be sent; its age counts from here.
    due_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- When it may be tried next.
    next_try_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    sent_at TIMESTAMPTZ,
    failed_at TIMESTAMPTZ,
    -- Outcomes that were unknown.
    unknowns INTEGER NOT NULL DEFAULT 0,
    -- Whether a status event that would tell an unknown outcome was waited for.
    awaited BOOLEAN NOT NULL DEFAULT false,
    -- What the provider calls the message, and the call.
    provider_id TEXT,
    provider_request_id BIGINT,
    -- Why it ended as it did.
    reason TEXT,
    -- [{"at", "epoch", "outcome", "detail", "duration_ms"}], oldest first; of more than 50 the
    -- first five and the last.
    attempts JSONB NOT NULL DEFAULT '[]'
);

-- The hot queue: a message leaves it when it is finished.
CREATE INDEX message_queued ON message (dealer_id, priority, due_at, id) WHERE state = 'QUEUED';
CREATE INDEX message_request ON message (request_id);
