-- Leases one lane for a call without a message, and counts the call before it is made, because a holder that
-- dies meanwhile cannot. A retry wait or a breaker does not hinder it. The pace does, and so does a wait for
-- evidence, which a call would hide. A message whose holder vanished stays to be recovered.
--
-- Locks: the lane. Plan: by its dealer.

UPDATE lane l SET
    epoch = l.epoch + 1,
    holder = :worker,
    lease_until = now() + make_interval(secs => :lease_seconds),
    unaccounted = l.unaccounted + 1,
    calls = CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
        THEN l.calls + 1 ELSE 1 END,
    calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
WHERE l.dealer_id = :dealer_id
    AND (l.lease_until IS NULL OR l.lease_until <= now())
    AND (l.ready_at <= now() OR l.message_id IS NULL AND (l.strikes > 0 OR l.blocks > 0))
RETURNING l.epoch
