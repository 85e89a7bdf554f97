-- Marks a confirmation as being called, and removes those of the same lane whose call was lost with its lease.
--
-- Locks: confirmations. Plan: all confirmations, of which there are few.

WITH lost AS (
    DELETE FROM opt_out_confirmation c
    WHERE c.dealer_id = :dealer_id AND c.call_epoch < :epoch
), taken AS (
    UPDATE opt_out_confirmation c SET call_epoch = :epoch, next_try_at = 'infinity'
    WHERE c.id = :id AND (c.call_epoch IS NULL OR c.call_epoch = :epoch)
    RETURNING c.id
)
SELECT count(*) AS rows FROM taken
