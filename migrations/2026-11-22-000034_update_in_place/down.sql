ALTER TABLE customer_validation_request RESET (fillfactor);
ALTER TABLE message RESET (fillfactor);
ALTER TABLE message DROP CONSTRAINT message_open_check;
CREATE INDEX IF NOT EXISTS lane_sending ON lane (lease_until) WHERE message_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_unknown ON message (due_at) WHERE state = 'UNKNOWN';
CREATE INDEX IF NOT EXISTS message_queued ON message (dealer_id, priority, due_at, id) WHERE state = 'QUEUED';
