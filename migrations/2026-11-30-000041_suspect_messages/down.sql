ALTER TABLE lane DROP COLUMN suspect_id;
