-- The state of the database, for operators.
--
-- Locks: none. Plan: all requests.

SELECT current_setting('server_version') AS server_version,
    current_setting('synchronous_commit') AS synchronous_commit,
    (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit')
        AS default_synchronous_commit,
    current_setting('fsync')::bool AS fsync,
    (SELECT count(*) FROM customer_validation_request r
        WHERE coalesce(r.request_status, 'PENDING') = 'PENDING'
        AND NOT EXISTS (SELECT FROM message m WHERE m.request_id = r.id)) AS old_pending,
    (SELECT count(*) FROM lane WHERE blocks > 0) AS blocked_lanes
