ALTER TABLE lane DROP COLUMN aging_from;
