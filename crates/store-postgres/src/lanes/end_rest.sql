-- Ends the rest of a lane and records the time, also for a lane that does not rest or does not exist.
--
-- Locks: the lane. Plan: by its dealer.

INSERT INTO lane AS l (dealer_id, rest_ended_at, aging_from)
VALUES (:dealer_id, now(), now())
ON CONFLICT (dealer_id) DO UPDATE SET
    rest_ended_at = now(),
    aging_from = now(),
    ready_at = CASE WHEN l.rest_until > now() THEN now() ELSE l.ready_at END,
    rest_until = CASE WHEN l.rest_until > now() THEN now() ELSE l.rest_until END
