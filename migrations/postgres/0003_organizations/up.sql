CREATE TABLE organizations (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    -- name folded, so that both databases order it by its bytes.
    sort_key TEXT COLLATE "C" NOT NULL,
    aliases JSONB NOT NULL,
    domain TEXT,
    website TEXT,
    kind TEXT,
    industry TEXT,
    size TEXT,
    location TEXT,
    parent_id UUID,
    links JSONB NOT NULL,
    interest INTEGER,
    why TEXT,
    notes TEXT,
    tags JSONB NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, parent_id) REFERENCES organizations (workspace_id, id) DEFERRABLE
);
CREATE INDEX organizations_created ON organizations (workspace_id, created_at, id);
CREATE INDEX organizations_updated ON organizations (workspace_id, updated_at, id);
CREATE INDEX organizations_sort ON organizations (workspace_id, sort_key, id);
CREATE INDEX organizations_parent ON organizations (workspace_id, parent_id);
