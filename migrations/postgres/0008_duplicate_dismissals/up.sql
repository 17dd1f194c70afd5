CREATE TABLE duplicate_dismissals (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    contact_id UUID,
    other_contact_id UUID,
    organization_id UUID,
    other_organization_id UUID,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, other_contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, other_organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE
);
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
