-- Stores submissions without idempotency keys, each with its message.
--
-- Locks: new lanes. Plan: only rows of the batch are read.

WITH fresh AS (
\ir submitted.sql
),
\ir store.sql
