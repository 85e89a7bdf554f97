-- Removes old replies, a batch at once.
--
-- Locks: replies, skipping locked rows. Plan: the index of the time of arrival.

WITH old AS (
    SELECT y.place FROM reply y
    WHERE y.received_at < now() - make_interval(days => :days)
    ORDER BY y.received_at LIMIT :most
    FOR UPDATE OF y SKIP LOCKED
), gone AS (
    DELETE FROM reply y USING old o WHERE y.place = o.place RETURNING y.place
)
SELECT count(*) AS rows FROM gone
