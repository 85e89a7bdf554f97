-- Forgets the idempotency keys by which callers of some dealers named submissions by a phone.
--
-- Locks: idempotency keys. Plan: by dealer.

DELETE FROM idempotency_key k
WHERE k.dealer_id = ANY (:dealers::varchar[])
    AND position(:subscriber IN translate(k.key, :between, '')) > 0
