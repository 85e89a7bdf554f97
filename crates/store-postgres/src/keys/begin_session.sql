-- Begins a session, and forgets those that are over.
--
-- Locks: the sessions that are over; one that another statement forgets is passed over.
-- Plan: by the index `console_session_over`.

WITH over AS (
    SELECT s.print FROM console_session s WHERE s.ends_at <= now()
    LIMIT 1000 FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM console_session s USING over o WHERE s.print = o.print
)
INSERT INTO console_session (print, key_id, ends_at)
VALUES (:print, :key_id, now() + make_interval(secs => :lifetime))
