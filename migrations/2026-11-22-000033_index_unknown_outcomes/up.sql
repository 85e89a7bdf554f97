-- Messages that may wait for a person, again without naming the state; see the migration before.
-- CONCURRENTLY, because the table may be large and the service that still runs must be able to
-- write to it meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_unknowns ON message (due_at) WHERE unknowns > 0;
