-- Releases lanes that were leased for a message that could not be begun.
--
-- Locks: lanes. Plan: by their dealers.

UPDATE lane l SET holder = NULL, lease_until = NULL, message_id = NULL
FROM unnest(:dealer_ids::varchar[], :epochs::bigint[]) AS given (dealer_id, epoch)
WHERE l.dealer_id = given.dealer_id AND l.epoch = given.epoch
