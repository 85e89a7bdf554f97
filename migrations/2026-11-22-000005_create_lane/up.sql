-- One lane per dealer: at most one call to the provider in flight, across all copies of the
-- service. Whoever holds the lease may settle; the epoch rises with every lease.
CREATE TABLE lane (
    dealer_id VARCHAR(10) PRIMARY KEY,
    epoch BIGINT NOT NULL DEFAULT 0,
    -- The copy of the service that holds the lease, for people who look.
    holder UUID,
    -- NULL: nobody holds the lane.
    lease_until TIMESTAMPTZ,
    -- The message that is SENDING under the lease. No foreign key: a row of a message is never
    -- deleted before its lane is done with it, and the check would cost every send.
    message_id UUID,
    -- No call before this moment: pace, retry wait or breaker pause.
    ready_at TIMESTAMPTZ NOT NULL DEFAULT '-infinity',
    -- Calls in a row that did not reach the provider.
    strikes INTEGER NOT NULL DEFAULT 0,
    -- Calls or probes in a row that found the account blocked; above 0 the breaker is open.
    blocks INTEGER NOT NULL DEFAULT 0,
    blocked_since TIMESTAMPTZ,
    block_reason TEXT,
    -- A digest of the account that was found blocked: a changed account closes the breaker.
    account_print TEXT,
    -- A probe went well: one message may try while the breaker is open.
    probed BOOLEAN NOT NULL DEFAULT false,
    -- Quiet hours or the day's limit: the lane rests until then, and messages age from then.
    rest_until TIMESTAMPTZ,
    -- Calls to send on a day of Asia/Jakarta.
    calls INTEGER NOT NULL DEFAULT 0,
    calls_on DATE
) WITH (fillfactor = 50);

-- Lanes whose holder may have died.
CREATE INDEX lane_sending ON lane (lease_until) WHERE message_id IS NOT NULL;
-- Lanes whose breaker is open.
CREATE INDEX lane_blocked ON lane (dealer_id) WHERE blocks > 0;
