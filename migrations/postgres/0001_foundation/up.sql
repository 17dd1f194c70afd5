-- One row: what this database is, whoever serves it.
CREATE TABLE instance (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Part of every ETag and cursor; a restored backup gets a new one.
    epoch TEXT NOT NULL,
    -- Only where several servers share the database; on SQLite the key is a file.
    signing_key TEXT,
    workspace_count BIGINT NOT NULL
);

CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    locale TEXT NOT NULL,
    week_starts_on TEXT NOT NULL,
    notify_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);

CREATE TABLE workspaces (
    id UUID NOT NULL PRIMARY KEY,
    -- Glued to every search token, so that one index serves all workspaces.
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- The number of the last change.
    seq BIGINT NOT NULL,
    -- The number of the newest tombstone that was purged.
    purged_seq BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX workspaces_number ON workspaces (number);

CREATE TABLE memberships (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    user_id UUID NOT NULL REFERENCES users (id) DEFERRABLE,
    role TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

-- One login on one device: a family of refresh tokens.
CREATE TABLE sessions (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    user_agent TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) DEFERRABLE
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    -- The token this one was given in exchange for.
    predecessor_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    spent_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, session_id) REFERENCES sessions (workspace_id, id) DEFERRABLE
);
CREATE UNIQUE INDEX refresh_tokens_hash ON refresh_tokens (token_hash);
CREATE INDEX refresh_tokens_session ON refresh_tokens (workspace_id, session_id, predecessor_id);
CREATE INDEX refresh_tokens_spent ON refresh_tokens (spent_at);

CREATE TABLE personal_access_tokens (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    -- The end of the token, to tell it by.
    hint TEXT NOT NULL,
    scopes JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) DEFERRABLE
);
CREATE UNIQUE INDEX personal_access_tokens_hash ON personal_access_tokens (token_hash);
CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id);

-- Replies kept for 24 hours, written in the transaction of what they answer.
CREATE TABLE idempotency_keys (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    user_id UUID NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    etag TEXT,
    -- Null where there was none, or where it is rendered anew from the record.
    body TEXT,
    entity TEXT,
    record_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, user_id, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_record ON idempotency_keys (workspace_id, record_id);

-- The one log: sync cursor, tombstone, history, audit trail and undo.
CREATE TABLE changes (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    seq BIGINT NOT NULL,
    -- The number of the first change of the same write.
    write_seq BIGINT NOT NULL,
    entity TEXT NOT NULL,
    record_id UUID NOT NULL,
    op TEXT NOT NULL,
    actor_user_id UUID,
    actor_token_id UUID,
    at TIMESTAMPTZ NOT NULL,
    fields JSONB NOT NULL,
    -- The row before an update or a delete, kept 30 days.
    before JSONB,
    PRIMARY KEY (workspace_id, seq)
);
CREATE INDEX changes_record ON changes (workspace_id, record_id, seq);
CREATE INDEX changes_write ON changes (workspace_id, write_seq);
CREATE INDEX changes_before ON changes (at) WHERE before IS NOT NULL;
CREATE INDEX changes_deleted ON changes (at) WHERE op = 'deleted';

-- What records are found by exactly; derived from them.
CREATE TABLE record_keys (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    entity TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    record_id UUID NOT NULL,
    PRIMARY KEY (workspace_id, entity, kind, value, record_id)
);
CREATE INDEX record_keys_record ON record_keys (workspace_id, record_id);

-- What records are found by when somebody types; derived from them.
CREATE TABLE search_documents (
    document_id BIGINT NOT NULL GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    entity TEXT NOT NULL,
    record_id UUID NOT NULL,
    -- Folded: results are ordered by it.
    title TEXT COLLATE "C" NOT NULL,
    -- Folded words with the workspace's number glued on, with spaces between.
    tokens TEXT NOT NULL,
    -- What the GIN index reads; SQLite has a full-text table beside this one instead.
    token_vector TSVECTOR NOT NULL GENERATED ALWAYS AS (array_to_tsvector(string_to_array(tokens, ' '))) STORED
);
CREATE UNIQUE INDEX search_documents_record ON search_documents (workspace_id, entity, record_id);
CREATE INDEX search_documents_tokens ON search_documents USING GIN (token_vector);
