ALTER TABLE lane DROP COLUMN unaccounted;
