-- The columns of a message `m` in a lane `l` that answers show.
--
-- The messages before it are counted in the index alone: a dealer may have a hundred thousand.

    m.id, m.kind, m.state, m.template, m.template_version, m.variables::text AS variables, m.body,
    m.target::text, m.due_at, m.created_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.attempts::text AS attempts, m.provider_id, m.reason,
    m.dealer_id::text AS lane_dealer_id,
\ir ../lanes/lane_state.sql
    , m.next_try_at,
    CASE WHEN m.sent_at IS NOT NULL OR m.failed_at IS NOT NULL THEN NULL
    WHEN m.state = 'QUEUED' AND m.due_at <= now() AND EXISTS (
        SELECT FROM message o
        WHERE o.sent_at IS NULL AND o.failed_at IS NULL AND o.dealer_id = m.dealer_id
            AND (o.priority, o.due_at, o.id) < (m.priority, m.due_at, m.id)
            AND o.state = 'QUEUED' AND o.next_try_at <= now())
    THEN (
        SELECT count(*) FROM message o
        WHERE o.sent_at IS NULL AND o.failed_at IS NULL AND o.dealer_id = m.dealer_id
            AND (o.priority, o.due_at, o.id) < (m.priority, m.due_at, m.id)
            AND o.due_at <= now() AND o.id IS DISTINCT FROM l.message_id)
    ELSE 0 END AS before
