-- What posts are sorted by: a post without a day or a time has a place too.
ALTER TABLE posts ADD COLUMN scheduled_sort TEXT COLLATE "C" NOT NULL DEFAULT '9999-12-31';
ALTER TABLE posts ADD COLUMN published_sort TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01T00:00:00Z';
UPDATE posts SET scheduled_sort = coalesce(scheduled_on, '9999-12-31'), published_sort = coalesce(published_at, '1970-01-01T00:00:00Z');
CREATE INDEX posts_scheduled_sort ON posts (workspace_id, scheduled_sort, id);
CREATE INDEX posts_published_sort ON posts (workspace_id, published_sort, id);
