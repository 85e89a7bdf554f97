-- The normal form of an Indonesian plate (`D 123 AD`), for search; NULL for any other plate.
ALTER TABLE customer_validation_request ADD COLUMN IF NOT EXISTS no_pol_normal VARCHAR(20);
