-- What keys were used for, and whether for the same.
--
-- Locks: none. Plan: keys by dealer and key.

SELECT u.n, k.request_id,
    k.body_print = u.print OR coalesce(k.body_print = u.alike, false) AS is_same
FROM unnest(:dealers::varchar[], :keys::varchar[], :prints::bytea[], :alike::bytea[])
    WITH ORDINALITY AS u (dealer_id, key, print, alike, n)
JOIN idempotency_key k ON k.dealer_id = u.dealer_id AND k.key = u.key
WHERE k.created_at > now() - make_interval(secs => :key_seconds)
