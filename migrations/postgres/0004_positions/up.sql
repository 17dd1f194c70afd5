CREATE TABLE positions (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    contact_id UUID NOT NULL,
    organization_id UUID,
    organization_name TEXT,
    title TEXT,
    department TEXT,
    kind TEXT NOT NULL,
    started_on TEXT,
    ended_on TEXT,
    is_primary BOOLEAN NOT NULL,
    source TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE
);
CREATE INDEX positions_created ON positions (workspace_id, created_at, id);
CREATE INDEX positions_updated ON positions (workspace_id, updated_at, id);
CREATE INDEX positions_contact ON positions (workspace_id, contact_id, id);
CREATE INDEX positions_organization ON positions (workspace_id, organization_id, id);
