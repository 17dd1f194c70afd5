CREATE TABLE relationships (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    contact_id UUID NOT NULL,
    related_contact_id UUID NOT NULL,
    kind TEXT NOT NULL,
    started_on TEXT,
    ended_on TEXT,
    notes TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, related_contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE INDEX relationships_created ON relationships (workspace_id, created_at, id);
CREATE INDEX relationships_updated ON relationships (workspace_id, updated_at, id);
CREATE INDEX relationships_contact ON relationships (workspace_id, contact_id, id);
CREATE INDEX relationships_related_contact ON relationships (workspace_id, related_contact_id, id);
