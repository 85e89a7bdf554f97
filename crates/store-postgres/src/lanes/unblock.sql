-- Closes a breaker, if it is still the one that was seen.
--
-- Locks: the lane. Plan: by its dealer.

UPDATE lane l SET
\ir close_breaker.sql
WHERE l.dealer_id = :dealer_id AND l.blocks > 0
    AND l.account_print IS NOT DISTINCT FROM :account_print
