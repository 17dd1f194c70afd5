CREATE TABLE tags (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    sort_key TEXT COLLATE "C" NOT NULL,
    color TEXT,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX tags_created ON tags (workspace_id, created_at, id);
CREATE INDEX tags_updated ON tags (workspace_id, updated_at, id);
CREATE INDEX tags_sort ON tags (workspace_id, sort_key, id);
