-- The columns of a lane `l` whose breaker closes: reset, and ready at once. A message that waits for evidence
-- or recovery goes on waiting.

        blocks = 0, strikes = 0, probed = false, suspect_id = NULL, blocked_since = NULL,
        block_reason = NULL, account_print = NULL,
        ready_at = CASE WHEN l.message_id IS NULL THEN now() ELSE l.ready_at END
