CREATE TABLE contacts (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The networker's own entry: one a workspace.
    is_self INTEGER NOT NULL,
    name TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    -- sort_name folded, so that both databases order it by its bytes.
    sort_key TEXT NOT NULL,
    given_name TEXT,
    family_name TEXT,
    -- The other parts of the name, and how it is said.
    name_parts TEXT NOT NULL,
    -- What is neither filtered nor sorted by: headline, location, skills, languages and the like.
    profile TEXT NOT NULL,
    about TEXT,
    notes TEXT,
    emails TEXT NOT NULL,
    phones TEXT NOT NULL,
    links TEXT NOT NULL,
    addresses TEXT NOT NULL,
    dates TEXT NOT NULL,
    how_met TEXT,
    introduced_by_id BLOB,
    known INTEGER NOT NULL,
    tier TEXT,
    cadence TEXT,
    tags TEXT NOT NULL,
    favorite INTEGER NOT NULL,
    archived_at INTEGER,
    do_not_contact INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, introduced_by_id) REFERENCES contacts (workspace_id, id)
) STRICT;
CREATE UNIQUE INDEX contacts_self ON contacts (workspace_id) WHERE is_self;
CREATE INDEX contacts_created ON contacts (workspace_id, created_at, id);
CREATE INDEX contacts_updated ON contacts (workspace_id, updated_at, id);
CREATE INDEX contacts_sort ON contacts (workspace_id, sort_key, id);
CREATE INDEX contacts_introduced_by ON contacts (workspace_id, introduced_by_id);
