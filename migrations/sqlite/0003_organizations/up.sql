CREATE TABLE organizations (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- name folded, so that both databases order it by its bytes.
    sort_key TEXT NOT NULL,
    aliases TEXT NOT NULL,
    domain TEXT,
    website TEXT,
    kind TEXT,
    industry TEXT,
    size TEXT,
    location TEXT,
    parent_id BLOB,
    links TEXT NOT NULL,
    interest INTEGER,
    why TEXT,
    notes TEXT,
    tags TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, parent_id) REFERENCES organizations (workspace_id, id)
) STRICT;
CREATE INDEX organizations_created ON organizations (workspace_id, created_at, id);
CREATE INDEX organizations_updated ON organizations (workspace_id, updated_at, id);
CREATE INDEX organizations_sort ON organizations (workspace_id, sort_key, id);
CREATE INDEX organizations_parent ON organizations (workspace_id, parent_id);
