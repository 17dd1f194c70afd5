-- Calendars that programs subscribe to by a secret in the URL.
CREATE TABLE calendar_feeds (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    -- What is in it.
    contents JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    -- When the token that created it expires.
    expires_at TIMESTAMPTZ,
    last_read_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) DEFERRABLE
);
CREATE UNIQUE INDEX calendar_feeds_hash ON calendar_feeds (secret_hash);
CREATE INDEX calendar_feeds_user ON calendar_feeds (user_id, workspace_id);
