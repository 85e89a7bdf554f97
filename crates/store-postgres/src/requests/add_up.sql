-- Adds changes of the counts up. One copy does it at a time, and it alone writes to `request_count`, so no
-- session waits for another.
--
-- Locks: an advisory lock; does nothing where that is taken. Plan: the first changes as they lie in the
-- table.

WITH turn AS MATERIALIZED (
    SELECT :most::bigint AS most
    WHERE pg_try_advisory_xact_lock(hashtextextended(current_schema(), 8246152957284311907))
), taken AS (
    DELETE FROM request_count_change
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM request_count_change LIMIT coalesce((SELECT most FROM turn), 0)))
    RETURNING *
), added AS (
    INSERT INTO request_count AS n
    SELECT dealer_id, request_date, request_status, whatsapp_status, sum(rows)
    FROM taken
    GROUP BY 1, 2, 3, 4 HAVING sum(rows) <> 0
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (dealer_id, request_date, request_status, whatsapp_status)
    DO UPDATE SET rows = n.rows + excluded.rows
)
SELECT count(*) AS rows FROM taken
