-- The messages that wait in a dealer's lane.
--
-- While a message is being sent, the index still lists it as open: its lane names it. Scheduled messages are
-- counted by the minute, so that an estimate need not read each of them.
--
-- Locks: none. Plan: the dealer's open messages, in the index `message_open` alone.

SELECT i.dealer_id AS lane_dealer_id,
\ir lane_state.sql
    , count_of.*, later.*, (k.id IS NOT NULL)::int::bigint AS sending
FROM (VALUES (:dealer_id::text)) AS i (dealer_id)
LEFT JOIN lane l ON l.dealer_id = i.dealer_id
LEFT JOIN message k ON k.id = l.message_id AND k.state = 'SENDING'
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.due_at <= now()) AS waiting,
        count(*) FILTER (WHERE m.due_at > now()) AS scheduled,
        min(m.due_at) FILTER (WHERE m.due_at <= now()) AS oldest_due_at
    FROM message m
    WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = :dealer_id
        AND m.id IS DISTINCT FROM k.id
) count_of
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(a.due_at ORDER BY a.due_at), '{}') AS due_later,
        coalesce(array_agg(a.messages ORDER BY a.due_at), '{}') AS due_later_messages
    FROM (
        SELECT max(m.due_at) AS due_at, count(*) AS messages
        FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id = :dealer_id
            AND m.due_at > now()
        GROUP BY date_trunc('minute', m.due_at)
        ORDER BY 1 LIMIT :most
    ) a
) later
