-- Erases the old reports among the next few.
--
-- Locks: events, skipping locked rows. Plan: a batch by ids.

WITH batch AS MATERIALIZED (
    SELECT e.id FROM webhook_event e
    WHERE e.id > :place ORDER BY e.id LIMIT :most
), theirs AS (
    SELECT e.id FROM webhook_event e JOIN batch b ON b.id = e.id
    WHERE e.received_at < now() - make_interval(days => :days) AND e.body <> '[dihapus]'
    FOR UPDATE OF e SKIP LOCKED
), told AS (
    UPDATE webhook_event e SET body = '[dihapus]', reason = NULL,
        -- The id may still match it, unless it holds an address of WhatsApp, which is a phone.
        state_id = CASE WHEN e.message_id IS NULL AND position('@' IN e.state_id) = 0
            THEN e.state_id END
    FROM theirs t WHERE e.id = t.id
    RETURNING e.id
)
SELECT count(*) AS events, (SELECT max(id) FROM batch) AS last FROM told
