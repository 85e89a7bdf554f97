-- Lets a confirmation wait.
--
-- Locks: the confirmation. Plan: by its id.

UPDATE opt_out_confirmation SET
    next_try_at = now() + make_interval(secs => :wait_seconds),
    due_at = CASE WHEN :ages_after THEN now() + make_interval(secs => :wait_seconds) ELSE due_at END
WHERE id = :id AND call_epoch IS NULL
