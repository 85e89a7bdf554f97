-- Lets a confirmation wait.
--
-- Locks: the confirmation. Plan: by its id.

UPDATE opt_out_confirmation SET next_try_at = now() + make_interval(secs => :wait_seconds)
WHERE id = :id
