CREATE TABLE posts (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    platform TEXT,
    kind TEXT NOT NULL,
    title TEXT,
    body TEXT,
    url TEXT,
    topic TEXT,
    community_id BLOB,
    goal_id BLOB,
    status TEXT NOT NULL,
    status_reason TEXT,
    scheduled_on TEXT,
    published_at INTEGER,
    metrics TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, community_id) REFERENCES communities (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id)
) STRICT;
CREATE INDEX posts_created ON posts (workspace_id, created_at, id);
CREATE INDEX posts_updated ON posts (workspace_id, updated_at, id);
CREATE INDEX posts_scheduled ON posts (workspace_id, scheduled_on, id) WHERE status = 'scheduled';
CREATE INDEX posts_published ON posts (workspace_id, published_at, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_community ON posts (workspace_id, community_id, published_at, id) WHERE community_id IS NOT NULL;
CREATE INDEX posts_goal ON posts (workspace_id, goal_id, id) WHERE goal_id IS NOT NULL;
