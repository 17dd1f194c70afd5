CREATE TABLE follow_up_plans (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    title TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    steps JSONB NOT NULL,
    skip_weekends BOOLEAN NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX follow_up_plans_created ON follow_up_plans (workspace_id, created_at, id);
CREATE INDEX follow_up_plans_updated ON follow_up_plans (workspace_id, updated_at, id);
CREATE INDEX follow_up_plans_sort ON follow_up_plans (workspace_id, sort_key, id);

CREATE TABLE plan_runs (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    plan_id UUID,
    built_in TEXT,
    title TEXT NOT NULL,
    contact_id UUID NOT NULL,
    anchor_on TEXT NOT NULL,
    steps JSONB NOT NULL,
    skip_weekends BOOLEAN NOT NULL,
    position INTEGER NOT NULL,
    follow_up_id UUID,
    status TEXT NOT NULL,
    status_reason TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, plan_id) REFERENCES follow_up_plans (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, follow_up_id) REFERENCES follow_ups (workspace_id, id) DEFERRABLE
);
CREATE INDEX plan_runs_created ON plan_runs (workspace_id, created_at, id);
CREATE INDEX plan_runs_updated ON plan_runs (workspace_id, updated_at, id);
CREATE INDEX plan_runs_contact ON plan_runs (workspace_id, contact_id, anchor_on, id);
CREATE INDEX plan_runs_plan ON plan_runs (workspace_id, plan_id, id);
CREATE INDEX plan_runs_follow_up ON plan_runs (workspace_id, follow_up_id, id);
CREATE INDEX plan_runs_status ON plan_runs (workspace_id, status, id);
