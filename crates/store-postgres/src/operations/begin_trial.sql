-- Leases the lane of a trial and begins its message.
--
-- Locks: the message and the lane, which no other session sees.

WITH begun AS (
    UPDATE message SET state = 'SENDING' WHERE id = :message_id
)
UPDATE lane SET
    epoch = epoch + 1,
    message_id = :message_id,
    holder = :message_id,
    lease_until = now() + INTERVAL '1 minute'
WHERE dealer_id = :dealer_id
RETURNING epoch
