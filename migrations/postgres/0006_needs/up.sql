CREATE TABLE needs (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    contact_id UUID NOT NULL,
    kind TEXT NOT NULL,
    topic TEXT NOT NULL,
    detail TEXT,
    status TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE INDEX needs_created ON needs (workspace_id, created_at, id);
CREATE INDEX needs_updated ON needs (workspace_id, updated_at, id);
CREATE INDEX needs_contact ON needs (workspace_id, contact_id, id);
