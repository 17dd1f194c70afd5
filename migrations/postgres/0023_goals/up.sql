CREATE TABLE goals (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    title TEXT NOT NULL,
    why TEXT,
    desired_outcome TEXT,
    category TEXT NOT NULL,
    priority INTEGER NOT NULL,
    started_on TEXT,
    due_on TEXT,
    -- The day, or the last one there is.
    due_sort TEXT NOT NULL,
    personas JSONB NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    achieved_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX goals_created ON goals (workspace_id, created_at, id);
CREATE INDEX goals_updated ON goals (workspace_id, updated_at, id);
CREATE INDEX goals_due ON goals (workspace_id, due_sort, id);
CREATE INDEX goals_status ON goals (workspace_id, status, due_sort, id);
CREATE INDEX goals_priority ON goals (workspace_id, priority, id);

CREATE TABLE key_results (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    goal_id UUID NOT NULL,
    title TEXT NOT NULL,
    metric TEXT NOT NULL,
    unit TEXT,
    start_value DOUBLE PRECISION NOT NULL,
    target_value DOUBLE PRECISION NOT NULL,
    weight DOUBLE PRECISION NOT NULL,
    filter JSONB,
    -- That of the filter.
    filter_organization_id UUID,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, filter_organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE
);
CREATE INDEX key_results_created ON key_results (workspace_id, created_at, id);
CREATE INDEX key_results_updated ON key_results (workspace_id, updated_at, id);
CREATE INDEX key_results_goal ON key_results (workspace_id, goal_id, id);
CREATE INDEX key_results_organization ON key_results (workspace_id, filter_organization_id, id);

CREATE TABLE check_ins (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    key_result_id UUID NOT NULL,
    checked_on TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    note TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, key_result_id) REFERENCES key_results (workspace_id, id) DEFERRABLE
);
CREATE INDEX check_ins_created ON check_ins (workspace_id, created_at, id);
CREATE INDEX check_ins_updated ON check_ins (workspace_id, updated_at, id);
CREATE INDEX check_ins_checked ON check_ins (workspace_id, checked_on, id);
CREATE INDEX check_ins_key_result ON check_ins (workspace_id, key_result_id, checked_on, created_at, id);

CREATE TABLE targets (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    goal_id UUID NOT NULL,
    contact_id UUID,
    organization_id UUID,
    priority INTEGER NOT NULL,
    why TEXT,
    ask TEXT,
    offer TEXT,
    opening JSONB,
    stage TEXT NOT NULL,
    status_reason TEXT,
    stage_changed_at TIMESTAMPTZ,
    -- The same, never null.
    changed_sort TIMESTAMPTZ NOT NULL,
    connected_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE
);
CREATE INDEX targets_created ON targets (workspace_id, created_at, id);
CREATE INDEX targets_updated ON targets (workspace_id, updated_at, id);
CREATE INDEX targets_stage_changed ON targets (workspace_id, changed_sort, id);
CREATE INDEX targets_priority ON targets (workspace_id, priority, id);
CREATE INDEX targets_stage ON targets (workspace_id, stage, priority, id);
CREATE INDEX targets_goal ON targets (workspace_id, goal_id, stage, priority, id);
CREATE INDEX targets_contact ON targets (workspace_id, contact_id, id);
CREATE INDEX targets_organization ON targets (workspace_id, organization_id, id);
