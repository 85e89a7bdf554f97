ALTER TABLE customer_validation_request DROP COLUMN IF EXISTS no_pol_normal;
