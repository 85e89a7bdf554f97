-- What the provider reports by itself. Stored first, applied later, kept for 7 days.
CREATE TABLE webhook_event (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id VARCHAR(10) NOT NULL,
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- As it came, without the shared secret.
    body TEXT NOT NULL,
    -- What it is about: 'message', 'device', or 'nothing' that concerns us.
    about TEXT NOT NULL CHECK (about IN ('message', 'device', 'nothing')),
    -- Of a device: whether it is connected now.
    connected BOOLEAN,
    -- Of a message: what the provider and WhatsApp call it, the state that this is evidence of, and
    -- the provider's words where it failed.
    provider_id TEXT,
    state_id TEXT,
    seen TEXT CHECK (seen IN ('SENT', 'FAILED', 'DELIVERED', 'READ')),
    reason TEXT,
    -- The message it matched.
    message_id UUID,
    -- When it is looked at; NULL when that is over.
    next_look_at TIMESTAMPTZ DEFAULT now()
);

-- What is to be looked at.
CREATE INDEX webhook_event_next ON webhook_event (next_look_at) WHERE next_look_at IS NOT NULL;
-- What matches nothing yet.
CREATE INDEX webhook_event_unmatched ON webhook_event (dealer_id, provider_id)
    WHERE message_id IS NULL AND provider_id IS NOT NULL;
CREATE INDEX webhook_event_unmatched_state ON webhook_event (dealer_id, state_id)
    WHERE message_id IS NULL AND state_id IS NOT NULL;
-- Old events are swept.
CREATE INDEX webhook_event_age ON webhook_event (received_at);

-- Where events leave their traces.
ALTER TABLE message
    -- What WhatsApp calls the message; some events name it only by this.
    ADD COLUMN provider_state_id TEXT,
    ADD COLUMN delivered_at TIMESTAMPTZ,
    ADD COLUMN read_at TIMESTAMPTZ;
CREATE INDEX message_provider_id ON message (dealer_id, provider_id)
    WHERE provider_id IS NOT NULL;
CREATE INDEX message_provider_state_id ON message (dealer_id, provider_state_id)
    WHERE provider_state_id IS NOT NULL;

-- The latest message that the provider is known to have taken: an event of a later one that nobody
-- knows may tell an unknown outcome.
ALTER TABLE lane ADD COLUMN last_provider_id BIGINT;
