-- The messages of a person. Also of requests that another program has deleted.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_target ON message (target)
    WHERE target <> '[dihapus]';
