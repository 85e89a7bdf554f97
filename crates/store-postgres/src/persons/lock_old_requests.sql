-- Locks the old requests of a batch. Each id has a row, without a request where it is not old. Local times
-- are those of Jakarta.
--
-- Locks: requests, skipping locked rows. Plan: a batch by ids.

WITH batch AS (
    SELECT r.id FROM customer_validation_request r
    WHERE r.id > :after ORDER BY r.id LIMIT :most
), theirs AS (
    SELECT r.* FROM customer_validation_request r JOIN batch b ON b.id = r.id
    WHERE r.no_telp <> '[dihapus]'
        AND coalesce(r.last_modified_date, r.created_date, r.request_date + r.request_time)
            < now() AT TIME ZONE INTERVAL '+07:00' - make_interval(days => :days)
        AND NOT EXISTS (
            SELECT FROM message m WHERE m.request_id = r.id AND (
                m.target <> '[dihapus]' OR m.state IN ('QUEUED', 'SENDING')))
    FOR NO KEY UPDATE OF r SKIP LOCKED
)
SELECT b.id AS place,
\ir request_read.sql
FROM batch b LEFT JOIN theirs r ON r.id = b.id
ORDER BY b.id
