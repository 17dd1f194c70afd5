-- What is to be done outside a request.
CREATE TABLE jobs (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- Null for a job of the server itself.
    workspace_id UUID REFERENCES workspaces (id) DEFERRABLE,
    payload JSONB NOT NULL,
    -- One job for each occurrence of a schedule, however many servers see that it is due.
    unique_key TEXT,
    state TEXT NOT NULL,
    -- Not before this time, by the clock of the servers.
    run_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    -- The worker that runs it, and until when it is believed to, by the clock of the database.
    lease_holder UUID,
    lease_until TIMESTAMPTZ,
    last_error TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX jobs_unique_key ON jobs (unique_key);
CREATE INDEX jobs_queued ON jobs (run_at, id) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (lease_until, id) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (finished_at, id) WHERE state = 'dead';
CREATE INDEX jobs_done ON jobs (finished_at, id) WHERE state = 'done';
CREATE INDEX jobs_workspace ON jobs (workspace_id, id);

-- The kind of job that made the change; null if a person did.
ALTER TABLE changes ADD COLUMN actor_job TEXT;
