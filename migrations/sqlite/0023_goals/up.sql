CREATE TABLE goals (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title TEXT NOT NULL,
    why TEXT,
    desired_outcome TEXT,
    category TEXT NOT NULL,
    priority INTEGER NOT NULL,
    started_on TEXT,
    due_on TEXT,
    -- The day, or the last one there is.
    due_sort TEXT NOT NULL,
    personas TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    achieved_at INTEGER,
    PRIMARY KEY (workspace_id, id)
) STRICT;
CREATE INDEX goals_created ON goals (workspace_id, created_at, id);
CREATE INDEX goals_updated ON goals (workspace_id, updated_at, id);
CREATE INDEX goals_due ON goals (workspace_id, due_sort, id);
CREATE INDEX goals_status ON goals (workspace_id, status, due_sort, id);
CREATE INDEX goals_priority ON goals (workspace_id, priority, id);

CREATE TABLE key_results (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    goal_id BLOB NOT NULL,
    title TEXT NOT NULL,
    metric TEXT NOT NULL,
    unit TEXT,
    start_value REAL NOT NULL,
    target_value REAL NOT NULL,
    weight REAL NOT NULL,
    filter TEXT,
    -- That of the filter.
    filter_organization_id BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id),
    FOREIGN KEY (workspace_id, filter_organization_id) REFERENCES organizations (workspace_id, id)
) STRICT;
CREATE INDEX key_results_created ON key_results (workspace_id, created_at, id);
CREATE INDEX key_results_updated ON key_results (workspace_id, updated_at, id);
CREATE INDEX key_results_goal ON key_results (workspace_id, goal_id, id);
CREATE INDEX key_results_organization ON key_results (workspace_id, filter_organization_id, id);

CREATE TABLE check_ins (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    key_result_id BLOB NOT NULL,
    checked_on TEXT NOT NULL,
    value REAL NOT NULL,
    note TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, key_result_id) REFERENCES key_results (workspace_id, id)
) STRICT;
CREATE INDEX check_ins_created ON check_ins (workspace_id, created_at, id);
CREATE INDEX check_ins_updated ON check_ins (workspace_id, updated_at, id);
CREATE INDEX check_ins_checked ON check_ins (workspace_id, checked_on, id);
CREATE INDEX check_ins_key_result ON check_ins (workspace_id, key_result_id, checked_on, created_at, id);

CREATE TABLE targets (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    goal_id BLOB NOT NULL,
    contact_id BLOB,
    organization_id BLOB,
    priority INTEGER NOT NULL,
    why TEXT,
    ask TEXT,
    offer TEXT,
    opening TEXT,
    stage TEXT NOT NULL,
    status_reason TEXT,
    stage_changed_at INTEGER,
    -- The same, never null.
    changed_sort INTEGER NOT NULL,
    connected_at INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id)
) STRICT;
CREATE INDEX targets_created ON targets (workspace_id, created_at, id);
CREATE INDEX targets_updated ON targets (workspace_id, updated_at, id);
CREATE INDEX targets_stage_changed ON targets (workspace_id, changed_sort, id);
CREATE INDEX targets_priority ON targets (workspace_id, priority, id);
CREATE INDEX targets_stage ON targets (workspace_id, stage, priority, id);
CREATE INDEX targets_goal ON targets (workspace_id, goal_id, stage, priority, id);
CREATE INDEX targets_contact ON targets (workspace_id, contact_id, id);
CREATE INDEX targets_organization ON targets (workspace_id, organization_id, id);
