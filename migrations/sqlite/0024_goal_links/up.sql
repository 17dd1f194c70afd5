ALTER TABLE interactions ADD COLUMN goal_ids TEXT NOT NULL DEFAULT '[]';

-- Derived from interactions.goal_ids at every write.
CREATE TABLE interaction_goals (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    interaction_id BLOB NOT NULL,
    goal_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, interaction_id, goal_id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id)
) STRICT;
CREATE INDEX interaction_goals_goal ON interaction_goals (workspace_id, goal_id, interaction_id);

-- Key results count those of a period without reading the interactions themselves.
CREATE INDEX interactions_counted ON interactions (workspace_id, sorted_at, id, kind, direction, occurred_on)
    WHERE is_counted;

-- SQLite adds a foreign key only with the table.
CREATE TABLE new_follow_ups (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title TEXT NOT NULL,
    body TEXT,
    contact_ids TEXT NOT NULL,
    organization_id BLOB,
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
    completed_at INTEGER,
    recurrence TEXT,
    series_id BLOB,
    previous_id BLOB,
    outcome TEXT,
    origin TEXT NOT NULL,
    interaction_id BLOB,
    goal_id BLOB,
    target_id BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id),
    FOREIGN KEY (workspace_id, previous_id) REFERENCES follow_ups (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id),
    FOREIGN KEY (workspace_id, target_id) REFERENCES targets (workspace_id, id)
) STRICT;
INSERT INTO new_follow_ups (
    workspace_id, id, version, created_at, updated_at, title, body, contact_ids, organization_id,
    kind, owed_by, due_on, due_sort, due_time, priority, channel, status, status_reason,
    snoozed_until, actionable_on, actionable_sort, completed_at, recurrence, series_id, previous_id,
    outcome, origin, interaction_id
) SELECT
    workspace_id, id, version, created_at, updated_at, title, body, contact_ids, organization_id,
    kind, owed_by, due_on, due_sort, due_time, priority, channel, status, status_reason,
    snoozed_until, actionable_on, actionable_sort, completed_at, recurrence, series_id, previous_id,
    outcome, origin, interaction_id
FROM follow_ups;
DROP TABLE follow_ups;
ALTER TABLE new_follow_ups RENAME TO follow_ups;
CREATE INDEX follow_ups_created ON follow_ups (workspace_id, created_at, id);
CREATE INDEX follow_ups_updated ON follow_ups (workspace_id, updated_at, id);
CREATE INDEX follow_ups_due ON follow_ups (workspace_id, due_sort, id);
CREATE INDEX follow_ups_actionable ON follow_ups (workspace_id, actionable_sort, id);
CREATE INDEX follow_ups_status ON follow_ups (workspace_id, status, actionable_sort, id);
CREATE INDEX follow_ups_priority ON follow_ups (workspace_id, priority, id);
CREATE INDEX follow_ups_organization ON follow_ups (workspace_id, organization_id, id);
CREATE INDEX follow_ups_interaction ON follow_ups (workspace_id, interaction_id, id);
CREATE INDEX follow_ups_previous ON follow_ups (workspace_id, previous_id, id);
CREATE INDEX follow_ups_goal ON follow_ups (workspace_id, goal_id, id);
CREATE INDEX follow_ups_target ON follow_ups (workspace_id, target_id, id);
CREATE INDEX follow_ups_completed ON follow_ups (workspace_id, completed_at, id);
