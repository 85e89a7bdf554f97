-- Deletes a batch of old deliveries and events, of deliveries of removed endpoints, and removed endpoints that have
-- none left. A transaction that saw an endpoint before it was removed is over by then. An event stays a day longer than
-- its deliveries, of which there are more: one without its event would be leased for nothing.
--
-- Locks: what is deleted. Plan: the first rows by their places, which are the oldest.

WITH old AS (
    SELECT d.place FROM (
        SELECT place, created_at FROM event_delivery ORDER BY place LIMIT :most) d
    WHERE d.created_at <= now() - make_interval(secs => :lifetime_seconds)
), of_removed AS (
    SELECT d.place FROM endpoint e
    CROSS JOIN LATERAL (
        SELECT d.place FROM event_delivery d WHERE d.endpoint_id = e.id ORDER BY d.place LIMIT :most) d
    WHERE e.removed_at IS NOT NULL
    LIMIT :most
), deliveries AS (
    DELETE FROM event_delivery d
    USING (SELECT place FROM old UNION SELECT place FROM of_removed) o
    WHERE d.place = o.place
    RETURNING d.place
), endpoints AS (
    DELETE FROM endpoint e
    WHERE e.removed_at <= now() - INTERVAL '1 minute'
        AND NOT EXISTS (SELECT FROM event_delivery d WHERE d.endpoint_id = e.id)
    RETURNING e.id
), events AS (
    DELETE FROM event v
    USING (SELECT place, created_at FROM event ORDER BY place LIMIT :most) o
    WHERE v.place = o.place
        AND o.created_at <= now() - make_interval(secs => :lifetime_seconds) - INTERVAL '1 day'
    RETURNING v.place
)
SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM endpoints)
    + (SELECT count(*) FROM events) AS rows
