-- A confirmation stays while it is being called, so that it can go back to its place or be erased meanwhile.
-- `next_try_at` is then 'infinity', so that the release before leaves it alone.
-- The epoch of the lease of its call; NULL while it waits.
ALTER TABLE opt_out_confirmation ADD COLUMN call_epoch BIGINT;
