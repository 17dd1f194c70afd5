DROP INDEX changes_merged;
ALTER TABLE changes DROP COLUMN merged_into_id;
