-- Large edits, which jobs carry out in parts.
CREATE TABLE operations (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- On whose behalf; null when they have left the workspace.
    user_id BLOB,
    token_id BLOB,
    -- The number that all parts have in common in the log.
    write_seq INTEGER NOT NULL,
    work TEXT NOT NULL,
    -- Where the next part begins.
    position TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    left_alone TEXT NOT NULL,
    left_alone_total INTEGER NOT NULL,
    error TEXT,
    cancel_requested INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (workspace_id, id)
) STRICT;
-- At most one at a time in a workspace, which is locked when one is started.
CREATE INDEX operations_unfinished ON operations (workspace_id) WHERE finished_at IS NULL;
CREATE INDEX operations_finished ON operations (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX operations_write ON operations (workspace_id, write_seq);
CREATE INDEX operations_user ON operations (workspace_id, user_id);
