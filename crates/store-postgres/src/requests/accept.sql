-- Stores submissions without keys, each with its message.
--
-- Locks: lanes that are new.
-- Plan: nothing but the rows of the batch is read.

WITH fresh AS (
\ir submitted.sql
),
\ir store.sql
