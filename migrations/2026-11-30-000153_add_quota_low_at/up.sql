-- Below how many messages left an account's quota is low; NULL means the service's default.
ALTER TABLE dealer_settings ADD COLUMN quota_low_at INTEGER;
