-- Calendars that programs subscribe to by a secret in the URL.
CREATE TABLE calendar_feeds (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    -- What is in it.
    contents TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- When the token that created it expires.
    expires_at INTEGER,
    last_read_at INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id)
) STRICT;
CREATE UNIQUE INDEX calendar_feeds_hash ON calendar_feeds (secret_hash);
CREATE INDEX calendar_feeds_user ON calendar_feeds (user_id, workspace_id);
