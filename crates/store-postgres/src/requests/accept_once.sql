-- Stores submissions of which some have idempotency keys; returns the stored ones.
--
-- A key that another transaction is storing is not waited for.
--
-- Locks: an advisory lock for each key, skipping taken ones; keys; new lanes. Plan: keys by dealer and key.

WITH submitted AS (
\ir submitted.sql
), turn AS MATERIALIZED (
    SELECT dealer_id, key, body_print, id FROM submitted
    WHERE key IS NOT NULL
        AND pg_try_advisory_xact_lock(hashtextextended(dealer_id || '/' || key, 0))
), claimed AS (
    -- An expired key is replaced.
    INSERT INTO idempotency_key AS k (dealer_id, key, body_print, request_id)
    SELECT dealer_id, key, body_print, id FROM turn ORDER BY dealer_id, key
    ON CONFLICT (dealer_id, key) DO UPDATE SET
        body_print = excluded.body_print,
        request_id = excluded.request_id,
        created_at = now()
    WHERE k.created_at <= now() - make_interval(secs => :key_seconds)
    RETURNING k.request_id
), fresh AS (
    SELECT * FROM submitted
    WHERE key IS NULL OR id IN (SELECT request_id FROM claimed)
),
\ir store.sql
RETURNING request_id
