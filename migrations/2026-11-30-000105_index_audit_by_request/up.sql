-- The lines about a request, for its page. CONCURRENTLY, because the service that still runs must be able to write
-- meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_request ON audit (substr(detail, 9, 36), id)
    WHERE detail LIKE 'request %';
