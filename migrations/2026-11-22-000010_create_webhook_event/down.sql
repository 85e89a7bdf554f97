ALTER TABLE lane DROP COLUMN last_provider_id;
ALTER TABLE message
    DROP COLUMN provider_state_id,
    DROP COLUMN delivered_at,
    DROP COLUMN read_at;
DROP TABLE webhook_event;
