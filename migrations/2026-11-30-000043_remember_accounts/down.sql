ALTER TABLE lane
    DROP COLUMN last_sent_at,
    DROP COLUMN quota_left,
    DROP COLUMN quota_at,
    DROP COLUMN expires_on,
    DROP COLUMN profile_due_at;
