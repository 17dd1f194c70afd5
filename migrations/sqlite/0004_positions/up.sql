CREATE TABLE positions (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_id BLOB NOT NULL,
    organization_id BLOB,
    organization_name TEXT,
    title TEXT,
    department TEXT,
    kind TEXT NOT NULL,
    started_on TEXT,
    ended_on TEXT,
    is_primary INTEGER NOT NULL,
    source TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id)
) STRICT;
CREATE INDEX positions_created ON positions (workspace_id, created_at, id);
CREATE INDEX positions_updated ON positions (workspace_id, updated_at, id);
CREATE INDEX positions_contact ON positions (workspace_id, contact_id, id);
CREATE INDEX positions_organization ON positions (workspace_id, organization_id, id);
