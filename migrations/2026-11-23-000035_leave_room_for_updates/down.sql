ALTER TABLE customer_validation_request SET (fillfactor = 85);
ALTER TABLE message SET (fillfactor = 85);
