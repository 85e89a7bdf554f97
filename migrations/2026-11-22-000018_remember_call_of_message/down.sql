ALTER TABLE message
    DROP COLUMN http_request_id,
    DROP COLUMN traceparent;
