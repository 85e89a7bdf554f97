-- Deletes idempotency keys of these dealers that hold a phone.
--
-- Locks: idempotency keys. Plan: by dealer.

DELETE FROM idempotency_key k
WHERE k.dealer_id = ANY (:dealers::varchar[])
    AND position(:subscriber IN translate(k.key, :between, '')) > 0
