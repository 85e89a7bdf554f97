-- The reports about a message.
CREATE INDEX CONCURRENTLY IF NOT EXISTS webhook_event_message ON webhook_event (message_id)
    WHERE message_id IS NOT NULL;
