-- Messages that wait for a person, so that they can be counted without looking at history.
-- CONCURRENTLY, because the table may be large and the service that still runs must be able to
-- write to it meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_unknown ON message (due_at) WHERE state = 'UNKNOWN';
