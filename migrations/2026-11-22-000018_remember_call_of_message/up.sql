-- Which call to the service a message came from: its X-Request-Id, and its place in a trace (W3C
-- Trace Context) where calls are traced.
ALTER TABLE message
    ADD COLUMN http_request_id TEXT,
    ADD COLUMN traceparent TEXT;
