CREATE TABLE relationships (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_id BLOB NOT NULL,
    related_contact_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    started_on TEXT,
    ended_on TEXT,
    notes TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, related_contact_id) REFERENCES contacts (workspace_id, id)
) STRICT;
CREATE INDEX relationships_created ON relationships (workspace_id, created_at, id);
CREATE INDEX relationships_updated ON relationships (workspace_id, updated_at, id);
CREATE INDEX relationships_contact ON relationships (workspace_id, contact_id, id);
CREATE INDEX relationships_related_contact ON relationships (workspace_id, related_contact_id, id);
