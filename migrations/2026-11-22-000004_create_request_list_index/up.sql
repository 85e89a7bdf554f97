-- The order of a dealer's list. CONCURRENTLY, because an existing table may be large and the
-- service that still runs must be able to write to it meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS customer_validation_request_list
    ON customer_validation_request (dealer_id, request_date DESC, request_time DESC, id DESC);
