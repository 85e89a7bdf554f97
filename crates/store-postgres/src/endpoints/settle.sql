-- Settles an attempt under the lease of its endpoint. What was asked for by hand meanwhile is still to be done.
--
-- Locks: the endpoint, then the delivery. Plan: by their ids.

WITH held AS (
    UPDATE endpoint e SET
        lease_until = NULL,
        alive_at = CASE WHEN :succeeded::bool THEN now() ELSE e.alive_at END,
        failures = CASE WHEN :succeeded THEN 0 ELSE e.failures + 1 END,
        disabled_at = CASE WHEN :disables::bool THEN coalesce(e.disabled_at, now())
            ELSE e.disabled_at END
    WHERE e.id = :endpoint_id AND e.epoch = :epoch AND e.lease_until > now() AND e.removed_at IS NULL
    RETURNING e.id, e.leased_at
), settled AS (
    UPDATE event_delivery d SET
        state = CASE WHEN d.asked_at > h.leased_at THEN d.state ELSE :state::text END,
        due_at = CASE WHEN d.asked_at > h.leased_at OR :wait_seconds::float8 IS NULL THEN d.due_at
            ELSE now() + make_interval(secs => :wait_seconds) END,
        failed = CASE WHEN d.asked_at > h.leased_at OR :succeeded THEN d.failed
            ELSE d.failed + 1 END,
        asked_at = CASE WHEN d.asked_at > h.leased_at THEN d.asked_at END,
        attempts = CASE WHEN jsonb_array_length(d.attempts) >= :most::int THEN d.attempts - 0
            ELSE d.attempts END
            || jsonb_build_object('at', now(), 'status', :status::int, 'error', :error::text)
    FROM held h
    WHERE d.id = :delivery_id AND d.endpoint_id = h.id
)
SELECT count(*) AS rows FROM held
