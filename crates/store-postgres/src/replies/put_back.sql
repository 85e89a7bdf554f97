-- Lets a confirmation wait that was being called under this epoch and was not sent.
--
-- Locks: the confirmation. Plan: by its id.

UPDATE opt_out_confirmation SET
    call_epoch = NULL,
    next_try_at = now() + make_interval(secs => :wait_seconds)
WHERE id = :id AND call_epoch = :epoch
