CREATE TABLE resources (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    kind TEXT NOT NULL,
    topics JSONB NOT NULL,
    note TEXT,
    event_id UUID,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id) DEFERRABLE
);
CREATE INDEX resources_created ON resources (workspace_id, created_at, id);
CREATE INDEX resources_updated ON resources (workspace_id, updated_at, id);
CREATE INDEX resources_event ON resources (workspace_id, event_id, id) WHERE event_id IS NOT NULL;

ALTER TABLE exchanges
    ADD COLUMN resource_id UUID,
    ADD FOREIGN KEY (workspace_id, resource_id) REFERENCES resources (workspace_id, id) DEFERRABLE;
CREATE INDEX exchanges_resource ON exchanges (workspace_id, resource_id, contact_id, occurred_on, id) WHERE resource_id IS NOT NULL;
CREATE INDEX exchanges_contact_resource ON exchanges (workspace_id, contact_id, resource_id, occurred_on) WHERE resource_id IS NOT NULL;
