-- Removes old replies, a batch at once; and with them opt-outs that do not hold any more, and confirmations that were
-- lost in their call.
--
-- Locks: replies, opt-outs and confirmations, skipping locked rows. Plan: the index of the time of arrival, that of
-- opt-outs that do not hold, and all confirmations, of which there are few.

WITH old AS (
    SELECT y.place FROM reply y
    WHERE y.received_at < now() - make_interval(days => :days)
    ORDER BY y.received_at LIMIT :most
    FOR UPDATE OF y SKIP LOCKED
), revoked AS (
    SELECT o.place FROM opt_out o
    WHERE NOT o.opted_out AND o.changed_at < now() - make_interval(days => :days)
    ORDER BY o.changed_at LIMIT :most
    FOR UPDATE OF o SKIP LOCKED
), lost AS (
    SELECT c.id FROM opt_out_confirmation c
    WHERE c.call_epoch IS NOT NULL AND c.due_at < now() - make_interval(days => :days)
    ORDER BY c.id LIMIT :most
    FOR UPDATE OF c SKIP LOCKED
), forgotten AS (
    DELETE FROM opt_out o USING revoked r WHERE o.place = r.place
), unconfirmed AS (
    DELETE FROM opt_out_confirmation c USING lost l WHERE c.id = l.id
), gone AS (
    DELETE FROM reply y USING old o WHERE y.place = o.place RETURNING y.place
)
SELECT count(*) AS rows FROM gone
