-- One row: what this database is, whoever serves it.
CREATE TABLE instance (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Part of every ETag and cursor; a restored backup gets a new one.
    epoch TEXT NOT NULL,
    -- Only where several servers share the database; on SQLite the key is a file.
    signing_key TEXT,
    workspace_count INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    locale TEXT NOT NULL,
    week_starts_on TEXT NOT NULL,
    notify_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email_key ON users (email_key);

CREATE TABLE workspaces (
    id BLOB NOT NULL PRIMARY KEY,
    -- Glued to every search token, so that one index serves all workspaces.
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- The number of the last change.
    seq INTEGER NOT NULL,
    -- The number of the newest tombstone that was purged.
    purged_seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX workspaces_number ON workspaces (number);

CREATE TABLE memberships (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
) STRICT;
CREATE INDEX memberships_user ON memberships (user_id);

-- One login on one device: a family of refresh tokens.
CREATE TABLE sessions (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    user_agent TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id)
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    -- The token this one was given in exchange for.
    predecessor_id BLOB,
    created_at INTEGER NOT NULL,
    spent_at INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, session_id) REFERENCES sessions (workspace_id, id)
) STRICT;
CREATE UNIQUE INDEX refresh_tokens_hash ON refresh_tokens (token_hash);
CREATE INDEX refresh_tokens_session ON refresh_tokens (workspace_id, session_id, predecessor_id);
CREATE INDEX refresh_tokens_spent ON refresh_tokens (spent_at);

CREATE TABLE personal_access_tokens (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    -- The end of the token, to tell it by.
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id)
) STRICT;
CREATE UNIQUE INDEX personal_access_tokens_hash ON personal_access_tokens (token_hash);
CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id);

-- Replies kept for 24 hours, written in the transaction of what they answer.
CREATE TABLE idempotency_keys (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    user_id BLOB NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    etag TEXT,
    -- Null where there was none, or where it is rendered anew from the record.
    body TEXT,
    entity TEXT,
    record_id BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, user_id, key)
) STRICT;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_record ON idempotency_keys (workspace_id, record_id);

-- The one log: sync cursor, tombstone, history, audit trail and undo.
CREATE TABLE changes (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    seq INTEGER NOT NULL,
    -- The number of the first change of the same write.
    write_seq INTEGER NOT NULL,
    entity TEXT NOT NULL,
    record_id BLOB NOT NULL,
    op TEXT NOT NULL,
    actor_user_id BLOB,
    actor_token_id BLOB,
    at INTEGER NOT NULL,
    fields TEXT NOT NULL,
    -- The row before an update or a delete, kept 30 days.
    before TEXT,
    PRIMARY KEY (workspace_id, seq)
) STRICT;
CREATE INDEX changes_record ON changes (workspace_id, record_id, seq);
CREATE INDEX changes_write ON changes (workspace_id, write_seq);
CREATE INDEX changes_before ON changes (at) WHERE before IS NOT NULL;
CREATE INDEX changes_deleted ON changes (at) WHERE op = 'deleted';

-- What records are found by exactly; derived from them.
CREATE TABLE record_keys (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    entity TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    record_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, entity, kind, value, record_id)
) STRICT;
CREATE INDEX record_keys_record ON record_keys (workspace_id, record_id);

-- What records are found by when somebody types; derived from them.
CREATE TABLE search_documents (
    document_id INTEGER NOT NULL PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    entity TEXT NOT NULL,
    record_id BLOB NOT NULL,
    -- Folded: results are ordered by it.
    title TEXT NOT NULL,
    -- Folded words with the workspace's number glued on, with spaces between.
    tokens TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX search_documents_record ON search_documents (workspace_id, entity, record_id);

-- The ascii tokenizer takes every character beyond ASCII for part of a word: Rust has folded and split already.
CREATE VIRTUAL TABLE search_index USING fts5 (
    tokens, content = 'search_documents', content_rowid = 'document_id', detail = 'none',
    tokenize = "ascii tokenchars ':'"
);
-- What is deleted is gone from the index too, and not only marked.
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER search_documents_insert AFTER INSERT ON search_documents BEGIN
    INSERT INTO search_index (rowid, tokens) VALUES (new.document_id, new.tokens);
END;
CREATE TRIGGER search_documents_delete AFTER DELETE ON search_documents BEGIN
    INSERT INTO search_index (search_index, rowid, tokens) VALUES ('delete', old.document_id, old.tokens);
END;
CREATE TRIGGER search_documents_update AFTER UPDATE ON search_documents BEGIN
    INSERT INTO search_index (search_index, rowid, tokens) VALUES ('delete', old.document_id, old.tokens);
    INSERT INTO search_index (rowid, tokens) VALUES (new.document_id, new.tokens);
END;
