CREATE TABLE old_follow_ups (
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
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id),
    FOREIGN KEY (workspace_id, previous_id) REFERENCES follow_ups (workspace_id, id)
) STRICT;
INSERT INTO old_follow_ups SELECT
    workspace_id, id, version, created_at, updated_at, title, body, contact_ids, organization_id,
    kind, owed_by, due_on, due_sort, due_time, priority, channel, status, status_reason,
    snoozed_until, actionable_on, actionable_sort, completed_at, recurrence, series_id, previous_id,
    outcome, origin, interaction_id
FROM follow_ups;
DROP TABLE follow_ups;
ALTER TABLE old_follow_ups RENAME TO follow_ups;
CREATE INDEX follow_ups_created ON follow_ups (workspace_id, created_at, id);
CREATE INDEX follow_ups_updated ON follow_ups (workspace_id, updated_at, id);
CREATE INDEX follow_ups_due ON follow_ups (workspace_id, due_sort, id);
CREATE INDEX follow_ups_actionable ON follow_ups (workspace_id, actionable_sort, id);
CREATE INDEX follow_ups_status ON follow_ups (workspace_id, status, actionable_sort, id);
CREATE INDEX follow_ups_priority ON follow_ups (workspace_id, priority, id);
CREATE INDEX follow_ups_organization ON follow_ups (workspace_id, organization_id, id);
CREATE INDEX follow_ups_interaction ON follow_ups (workspace_id, interaction_id, id);
CREATE INDEX follow_ups_previous ON follow_ups (workspace_id, previous_id, id);
DROP INDEX interactions_counted;
DROP TABLE interaction_goals;
ALTER TABLE interactions DROP COLUMN goal_ids;
