CREATE TABLE contacts (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    -- The networker's own entry: one a workspace.
    is_self BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    -- sort_name folded, so that both databases order it by its bytes.
    sort_key TEXT COLLATE "C" NOT NULL,
    given_name TEXT,
    family_name TEXT,
    -- The other parts of the name, and how it is said.
    name_parts JSONB NOT NULL,
    -- What is neither filtered nor sorted by: headline, location, skills, languages and the like.
    profile JSONB NOT NULL,
    about TEXT,
    notes TEXT,
    emails JSONB NOT NULL,
    phones JSONB NOT NULL,
    links JSONB NOT NULL,
    addresses JSONB NOT NULL,
    dates JSONB NOT NULL,
    how_met JSONB,
    introduced_by_id UUID,
    known BOOLEAN NOT NULL,
    tier TEXT,
    cadence JSONB,
    tags JSONB NOT NULL,
    favorite BOOLEAN NOT NULL,
    archived_at TIMESTAMPTZ,
    do_not_contact BOOLEAN NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, introduced_by_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE UNIQUE INDEX contacts_self ON contacts (workspace_id) WHERE is_self;
CREATE INDEX contacts_created ON contacts (workspace_id, created_at, id);
CREATE INDEX contacts_updated ON contacts (workspace_id, updated_at, id);
CREATE INDEX contacts_sort ON contacts (workspace_id, sort_key, id);
CREATE INDEX contacts_introduced_by ON contacts (workspace_id, introduced_by_id);
