-- Deletes expired idempotency keys, a batch at once.
--
-- Locks: keys, skipping locked rows. Plan: the index of the time of their making.

WITH old AS (
    SELECT k.dealer_id, k.key FROM idempotency_key k
    WHERE k.created_at <= now() - make_interval(secs => :key_seconds)
    LIMIT :most
    FOR UPDATE OF k SKIP LOCKED
)
DELETE FROM idempotency_key k USING old o WHERE k.dealer_id = o.dealer_id AND k.key = o.key
