ALTER TABLE interactions ADD COLUMN status_reason TEXT;

CREATE TABLE follow_ups (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    title TEXT NOT NULL,
    body TEXT,
    contact_ids JSONB NOT NULL,
    organization_id UUID,
    kind TEXT NOT NULL,
    owed_by TEXT NOT NULL,
    due_on TEXT,
    -- The day, or the last one there is.
    due_sort TEXT NOT NULL,
    due_time TEXT,
    priority INTEGER NOT NULL,
    channel TEXT,
    status TEXT NOT NULL,
    status_reason TEXT,
    snoozed_until TEXT,
    -- The later one of due_on and snoozed_until.
    actionable_on TEXT,
    -- The day, or the last one there is.
    actionable_sort TEXT NOT NULL,
    completed_at TIMESTAMPTZ,
    recurrence JSONB,
    series_id UUID,
    previous_id UUID,
    outcome TEXT,
    origin TEXT NOT NULL,
    interaction_id UUID,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, previous_id) REFERENCES follow_ups (workspace_id, id) DEFERRABLE
);
CREATE INDEX follow_ups_created ON follow_ups (workspace_id, created_at, id);
CREATE INDEX follow_ups_updated ON follow_ups (workspace_id, updated_at, id);
CREATE INDEX follow_ups_due ON follow_ups (workspace_id, due_sort, id);
CREATE INDEX follow_ups_actionable ON follow_ups (workspace_id, actionable_sort, id);
CREATE INDEX follow_ups_status ON follow_ups (workspace_id, status, actionable_sort, id);
CREATE INDEX follow_ups_priority ON follow_ups (workspace_id, priority, id);
CREATE INDEX follow_ups_organization ON follow_ups (workspace_id, organization_id, id);
CREATE INDEX follow_ups_interaction ON follow_ups (workspace_id, interaction_id, id);
CREATE INDEX follow_ups_previous ON follow_ups (workspace_id, previous_id, id);

-- Derived from follow_ups.contact_ids at every write.
CREATE TABLE follow_up_contacts (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    follow_up_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    PRIMARY KEY (workspace_id, follow_up_id, contact_id),
    FOREIGN KEY (workspace_id, follow_up_id) REFERENCES follow_ups (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE INDEX follow_up_contacts_contact ON follow_up_contacts (workspace_id, contact_id, follow_up_id);
