-- The lines of a dealer. CONCURRENTLY, because the service that still runs must be able to write meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_dealer ON audit (dealer_id, id);
