CREATE TABLE old_interactions (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_ids TEXT NOT NULL,
    event_id BLOB,
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
    status_reason TEXT,
    goal_ids TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id)
) STRICT;
INSERT INTO old_interactions (
    workspace_id, id, version, created_at, updated_at, contact_ids, event_id, kind, status, direction,
    occurred_at, occurred_on, sorted_at, duration_minutes, channel, subject, body, location, url,
    quality, counts, is_counted, status_reason, goal_ids
) SELECT
    workspace_id, id, version, created_at, updated_at, contact_ids, event_id, kind, status, direction,
    occurred_at, occurred_on, sorted_at, duration_minutes, channel, subject, body, location, url,
    quality, counts, is_counted, status_reason, goal_ids
FROM interactions;
DROP TABLE interactions;
ALTER TABLE old_interactions RENAME TO interactions;
CREATE INDEX interactions_created ON interactions (workspace_id, created_at, id);
CREATE INDEX interactions_updated ON interactions (workspace_id, updated_at, id);
CREATE INDEX interactions_sorted ON interactions (workspace_id, sorted_at, id);
CREATE INDEX interactions_planned ON interactions (workspace_id, sorted_at, id) WHERE status = 'planned';
CREATE INDEX interactions_counted ON interactions (workspace_id, sorted_at, id, kind, direction, occurred_on)
    WHERE is_counted;
CREATE INDEX interactions_event ON interactions (workspace_id, event_id, id) WHERE event_id IS NOT NULL;
