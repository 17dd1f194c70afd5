CREATE TABLE tags (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    color TEXT,
    PRIMARY KEY (workspace_id, id)
) STRICT;
CREATE INDEX tags_created ON tags (workspace_id, created_at, id);
CREATE INDEX tags_updated ON tags (workspace_id, updated_at, id);
CREATE INDEX tags_sort ON tags (workspace_id, sort_key, id);
