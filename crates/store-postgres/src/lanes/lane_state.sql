-- The state of a lane `l`, which may be absent.

    now() AS seen_at, coalesce(l.lease_until > now(), false) AS leased,
    l.message_id AS lane_message_id,
    CASE WHEN l.ready_at > now() THEN l.ready_at END AS ready_at,
    coalesce(l.strikes, 0) AS strikes, coalesce(l.blocks, 0) AS blocks, l.block_reason,
    CASE WHEN l.calls_on = (now() AT TIME ZONE INTERVAL '+07:00')::date
        THEN l.calls ELSE 0 END AS calls_today
