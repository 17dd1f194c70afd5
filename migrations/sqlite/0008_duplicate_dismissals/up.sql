CREATE TABLE duplicate_dismissals (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_id BLOB,
    other_contact_id BLOB,
    organization_id BLOB,
    other_organization_id BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, other_contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id),
    FOREIGN KEY (workspace_id, other_organization_id) REFERENCES organizations (workspace_id, id)
) STRICT;
CREATE INDEX duplicate_dismissals_created ON duplicate_dismissals (workspace_id, created_at, id);
CREATE INDEX duplicate_dismissals_updated ON duplicate_dismissals (workspace_id, updated_at, id);
CREATE INDEX duplicate_dismissals_contact ON duplicate_dismissals (workspace_id, contact_id, id);
CREATE INDEX duplicate_dismissals_other_contact ON duplicate_dismissals (workspace_id, other_contact_id, id);
CREATE INDEX duplicate_dismissals_organization ON duplicate_dismissals (workspace_id, organization_id, id);
CREATE INDEX duplicate_dismissals_other_organization ON duplicate_dismissals (workspace_id, other_organization_id, id);

-- Whose keys these are, with the keys in it: without them SQLite, which keeps no statistics here, took the primary key for
-- the better index and read all keys of the workspace at every write of a record.
DROP INDEX record_keys_record;
CREATE INDEX record_keys_record ON record_keys (workspace_id, record_id, entity, kind, value);
