CREATE TABLE introductions (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_a_id BLOB NOT NULL,
    contact_b_id BLOB NOT NULL,
    introducer_id BLOB,
    introducer_name TEXT,
    direction TEXT NOT NULL,
    purpose TEXT,
    blurb TEXT,
    consent_a TEXT NOT NULL,
    consent_b TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    made_on TEXT,
    outcome TEXT,
    goal_id BLOB,
    exchange_a_id BLOB,
    exchange_b_id BLOB,
    introducer_exchange_id BLOB,
    follow_up_a_id BLOB,
    follow_up_b_id BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_a_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_b_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, introducer_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id),
    FOREIGN KEY (workspace_id, exchange_a_id) REFERENCES exchanges (workspace_id, id),
    FOREIGN KEY (workspace_id, exchange_b_id) REFERENCES exchanges (workspace_id, id),
    FOREIGN KEY (workspace_id, introducer_exchange_id) REFERENCES exchanges (workspace_id, id),
    FOREIGN KEY (workspace_id, follow_up_a_id) REFERENCES follow_ups (workspace_id, id),
    FOREIGN KEY (workspace_id, follow_up_b_id) REFERENCES follow_ups (workspace_id, id)
) STRICT;
CREATE INDEX introductions_created ON introductions (workspace_id, created_at, id);
CREATE INDEX introductions_updated ON introductions (workspace_id, updated_at, id);
CREATE INDEX introductions_made ON introductions (workspace_id, made_on, id) WHERE made_on IS NOT NULL;
CREATE INDEX introductions_contact_a ON introductions (workspace_id, contact_a_id, id);
CREATE INDEX introductions_contact_b ON introductions (workspace_id, contact_b_id, id);
CREATE INDEX introductions_introducer ON introductions (workspace_id, introducer_id, id) WHERE introducer_id IS NOT NULL;
CREATE INDEX introductions_goal ON introductions (workspace_id, goal_id, id) WHERE goal_id IS NOT NULL;
CREATE INDEX introductions_exchange_a ON introductions (workspace_id, exchange_a_id, id) WHERE exchange_a_id IS NOT NULL;
CREATE INDEX introductions_exchange_b ON introductions (workspace_id, exchange_b_id, id) WHERE exchange_b_id IS NOT NULL;
CREATE INDEX introductions_introducer_exchange ON introductions (workspace_id, introducer_exchange_id, id) WHERE introducer_exchange_id IS NOT NULL;
CREATE INDEX introductions_follow_up_a ON introductions (workspace_id, follow_up_a_id, id) WHERE follow_up_a_id IS NOT NULL;
CREATE INDEX introductions_follow_up_b ON introductions (workspace_id, follow_up_b_id, id) WHERE follow_up_b_id IS NOT NULL;
