CREATE TABLE interactions (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_ids TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    direction TEXT NOT NULL,
    occurred_at INTEGER,
    occurred_on TEXT,
    -- When it was, or the end of its day.
    sorted_at INTEGER NOT NULL,
    duration_minutes INTEGER,
    channel TEXT,
    subject TEXT,
    body TEXT,
    location TEXT,
    url TEXT,
    quality INTEGER,
    counts INTEGER,
    -- Whether it happened, and counts by itself or by its kind.
    is_counted INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;
CREATE INDEX interactions_created ON interactions (workspace_id, created_at, id);
CREATE INDEX interactions_updated ON interactions (workspace_id, updated_at, id);
CREATE INDEX interactions_sorted ON interactions (workspace_id, sorted_at, id);

-- Derived from interactions.contact_ids at every write.
CREATE TABLE interaction_contacts (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    interaction_id BLOB NOT NULL,
    contact_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, interaction_id, contact_id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT;
CREATE INDEX interaction_contacts_contact ON interaction_contacts (workspace_id, contact_id, interaction_id);

CREATE TABLE contact_activities (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_id BLOB NOT NULL,
    last_interaction_on TEXT,
    interaction_count INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT;
CREATE INDEX contact_activities_contact ON contact_activities (workspace_id, contact_id, id);
CREATE INDEX contact_activities_last ON contact_activities (workspace_id, last_interaction_on, id);
CREATE INDEX contact_activities_updated ON contact_activities (workspace_id, updated_at, id);
