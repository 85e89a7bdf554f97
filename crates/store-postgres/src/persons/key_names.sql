-- The API keys whose names hold a phone.
--
-- Locks: none. Plan: all keys, which are few.

SELECT k.id, k.name FROM api_key k
WHERE position(:subscriber IN translate(k.name, :between, '')) > 0
