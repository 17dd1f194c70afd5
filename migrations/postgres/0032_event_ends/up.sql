CREATE INDEX events_ends ON events (workspace_id, ends_sort, id);
