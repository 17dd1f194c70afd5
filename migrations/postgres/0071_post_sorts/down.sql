DROP INDEX posts_published_sort;
DROP INDEX posts_scheduled_sort;
ALTER TABLE posts DROP COLUMN published_sort;
ALTER TABLE posts DROP COLUMN scheduled_sort;
