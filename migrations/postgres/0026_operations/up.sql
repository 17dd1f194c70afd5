-- Large edits, which jobs carry out in parts.
CREATE TABLE operations (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- On whose behalf; null when they have left the workspace.
    user_id UUID,
    token_id UUID,
    -- The number that all parts have in common in the log.
    write_seq BIGINT NOT NULL,
    work JSONB NOT NULL,
    -- Where the next part begins.
    position JSONB NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    left_alone JSONB NOT NULL,
    left_alone_total BIGINT NOT NULL,
    error JSONB,
    cancel_requested BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id)
);
-- At most one at a time in a workspace, which is locked when one is started.
CREATE INDEX operations_unfinished ON operations (workspace_id) WHERE finished_at IS NULL;
CREATE INDEX operations_finished ON operations (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX operations_write ON operations (workspace_id, write_seq);
CREATE INDEX operations_user ON operations (workspace_id, user_id);
