-- What posts are sorted by: a post without a day or a time has a place too.
ALTER TABLE posts ADD COLUMN scheduled_sort TEXT NOT NULL DEFAULT '9999-12-31';
ALTER TABLE posts ADD COLUMN published_sort INTEGER NOT NULL DEFAULT 0;
UPDATE posts SET scheduled_sort = coalesce(scheduled_on, '9999-12-31'), published_sort = coalesce(published_at, 0);
CREATE INDEX posts_scheduled_sort ON posts (workspace_id, scheduled_sort, id);
CREATE INDEX posts_published_sort ON posts (workspace_id, published_sort, id);
