-- Adds up some changes of how long messages took, for the copy that has its turn (`reports/seconds.rs`); it alone
-- writes to `message_seconds`. A row is replaced by the sum of what it was and the changes, so the snapshot of
-- this statement must be younger than the turn.
--
-- Locks: none that another session waits for.
-- Plan: the first changes as they lie in the table; the rows that they change by their key.

WITH taken AS (
    DELETE FROM message_seconds_change
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM message_seconds_change LIMIT :most::bigint))
    RETURNING *
), touched AS (
    SELECT DISTINCT dealer_id, request_date, measure FROM taken
), summed AS (
    SELECT c.dealer_id, c.request_date, c.measure, c.seconds, sum(c.messages) AS messages
    FROM (
        SELECT t.dealer_id, t.request_date, t.measure, t.seconds, t.messages FROM taken t
        UNION ALL
        SELECT n.dealer_id, n.request_date, n.measure, u.seconds, u.messages
        FROM touched t
        JOIN message_seconds n ON n.dealer_id = t.dealer_id AND n.request_date = t.request_date
            AND n.measure = t.measure
        CROSS JOIN LATERAL unnest(n.seconds, n.messages) AS u (seconds, messages)
    ) c
    GROUP BY 1, 2, 3, 4
), added AS (
    INSERT INTO message_seconds (dealer_id, request_date, measure, seconds, messages)
    SELECT s.dealer_id, s.request_date, s.measure,
        coalesce(array_agg(s.seconds ORDER BY s.seconds) FILTER (WHERE s.messages <> 0), '{}'),
        coalesce(
            array_agg(s.messages::integer ORDER BY s.seconds) FILTER (WHERE s.messages <> 0), '{}')
    FROM summed s
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (dealer_id, request_date, measure)
    DO UPDATE SET seconds = excluded.seconds, messages = excluded.messages
)
SELECT count(*) AS rows FROM taken
