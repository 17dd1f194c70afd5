ALTER TABLE changes DROP COLUMN merged_into_id;
