CREATE TABLE needs (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    topic TEXT NOT NULL,
    detail TEXT,
    status TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT;
CREATE INDEX needs_created ON needs (workspace_id, created_at, id);
CREATE INDEX needs_updated ON needs (workspace_id, updated_at, id);
CREATE INDEX needs_contact ON needs (workspace_id, contact_id, id);
