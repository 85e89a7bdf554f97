ALTER TABLE dealer_settings DROP COLUMN quota_low_at;
