-- SQLite adds a foreign key only with the table.
CREATE TABLE new_interactions (
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
    post_id BLOB,
    community_id BLOB,
    -- That of the URL.
    url_platform TEXT,
    -- Whether it is a comment, reaction or share that happened.
    is_engagement INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id),
    FOREIGN KEY (workspace_id, post_id) REFERENCES posts (workspace_id, id),
    FOREIGN KEY (workspace_id, community_id) REFERENCES communities (workspace_id, id)
) STRICT;
INSERT INTO new_interactions (
    workspace_id, id, version, created_at, updated_at, contact_ids, event_id, kind, status, direction,
    occurred_at, occurred_on, sorted_at, duration_minutes, channel, subject, body, location, url,
    quality, counts, is_counted, status_reason, goal_ids, is_engagement
) SELECT
    workspace_id, id, version, created_at, updated_at, contact_ids, event_id, kind, status, direction,
    occurred_at, occurred_on, sorted_at, duration_minutes, channel, subject, body, location, url,
    quality, counts, is_counted, status_reason, goal_ids,
    status = 'happened' AND kind IN ('comment', 'reaction', 'share')
FROM interactions;
DROP TABLE interactions;
ALTER TABLE new_interactions RENAME TO interactions;
CREATE INDEX interactions_created ON interactions (workspace_id, created_at, id);
CREATE INDEX interactions_updated ON interactions (workspace_id, updated_at, id);
CREATE INDEX interactions_sorted ON interactions (workspace_id, sorted_at, id);
CREATE INDEX interactions_planned ON interactions (workspace_id, sorted_at, id) WHERE status = 'planned';
CREATE INDEX interactions_counted ON interactions (workspace_id, sorted_at, id, kind, direction, occurred_on)
    WHERE is_counted;
CREATE INDEX interactions_event ON interactions (workspace_id, event_id, id) WHERE event_id IS NOT NULL;
CREATE INDEX interactions_post ON interactions (workspace_id, post_id, id) WHERE post_id IS NOT NULL;
CREATE INDEX interactions_community ON interactions (workspace_id, community_id, sorted_at, id) WHERE community_id IS NOT NULL;
-- With all that engagement is summed up from.
CREATE INDEX interactions_engagement ON interactions (
    workspace_id, sorted_at, id, direction, kind, occurred_on, community_id, post_id, url_platform
) WHERE is_engagement;
