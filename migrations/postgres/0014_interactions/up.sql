CREATE TABLE interactions (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    contact_ids JSONB NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    direction TEXT NOT NULL,
    occurred_at TIMESTAMPTZ,
    occurred_on TEXT,
    -- When it was, or the end of its day.
    sorted_at TIMESTAMPTZ NOT NULL,
    duration_minutes INTEGER,
    channel TEXT,
    subject TEXT,
    body TEXT,
    location TEXT,
    url TEXT,
    quality INTEGER,
    counts BOOLEAN,
    -- Whether it happened, and counts by itself or by its kind.
    is_counted BOOLEAN NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX interactions_created ON interactions (workspace_id, created_at, id);
CREATE INDEX interactions_updated ON interactions (workspace_id, updated_at, id);
CREATE INDEX interactions_sorted ON interactions (workspace_id, sorted_at, id);

-- Derived from interactions.contact_ids at every write.
CREATE TABLE interaction_contacts (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    interaction_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    PRIMARY KEY (workspace_id, interaction_id, contact_id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE INDEX interaction_contacts_contact ON interaction_contacts (workspace_id, contact_id, interaction_id);

CREATE TABLE contact_activities (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    contact_id UUID NOT NULL,
    last_interaction_on TEXT,
    interaction_count BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE INDEX contact_activities_contact ON contact_activities (workspace_id, contact_id, id);
CREATE INDEX contact_activities_last ON contact_activities (workspace_id, last_interaction_on, id);
CREATE INDEX contact_activities_updated ON contact_activities (workspace_id, updated_at, id);
