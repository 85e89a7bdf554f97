-- Ends a session.
--
-- Locks: the session. Plan: by its print.

DELETE FROM console_session WHERE print = :print
