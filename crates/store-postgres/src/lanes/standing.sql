-- The state of the queue and its lanes.
--
-- Locks: none. Plan: the index of open messages, and the lanes, of which there is one for each dealer.

WITH head AS (
    -- A lane that neither waits nor rests should be sending its first message.
    SELECT m.due_at FROM lane l
    CROSS JOIN LATERAL (
        SELECT due_at FROM message m
        WHERE m.dealer_id = l.dealer_id AND m.state = 'QUEUED' AND m.next_try_at <= now()
            AND m.sent_at IS NULL AND m.failed_at IS NULL
        ORDER BY m.priority, m.due_at, m.id LIMIT 1) m
    WHERE l.blocks = 0 AND l.strikes = 0
        AND coalesce(l.rest_until, '-infinity') <= now() AND m.due_at <= now()
), past_due AS (
    SELECT count(*) AS messages FROM message
    WHERE state = 'QUEUED' AND due_at <= now() AND sent_at IS NULL AND failed_at IS NULL
), account AS (
    -- Only accounts that send: the quota of an unused account does not matter.
    SELECT min(quota_left) AS lowest_quota,
        count(*) FILTER (WHERE quota_left < coalesce(s.quota_low_at, :low_quota)) AS low_on_quota,
        count(*) FILTER (
            WHERE expires_on < (now() AT TIME ZONE INTERVAL '+07:00')::date + 7) AS expiring
    FROM lane l LEFT JOIN dealer_settings s ON s.dealer_id = l.dealer_id
    WHERE last_sent_at > now() - INTERVAL '7 days'
), blocked AS (
    SELECT count(*) AS lanes, min(blocked_since) AS since FROM lane WHERE blocks > 0
)
SELECT a.lowest_quota, a.low_on_quota, a.expiring, p.messages AS past_due, b.lanes AS blocked,
    extract(epoch FROM now() - b.since)::float8 AS blocked_seconds,
    extract(epoch FROM now() - (SELECT min(due_at) FROM head))::float8 AS unhindered_seconds
FROM past_due p, blocked b, account a
