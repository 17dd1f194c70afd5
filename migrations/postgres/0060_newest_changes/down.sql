DROP INDEX changes_newest;
ALTER TABLE changes DROP COLUMN is_newest;
