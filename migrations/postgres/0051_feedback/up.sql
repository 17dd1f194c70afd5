CREATE TABLE feedback (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    contact_id UUID NOT NULL,
    kind TEXT NOT NULL,
    topic TEXT NOT NULL,
    body TEXT,
    status TEXT NOT NULL,
    status_reason TEXT,
    status_changed_at TIMESTAMPTZ,
    received_on TEXT,
    action TEXT,
    action_taken_on TEXT,
    reported_back_on TEXT,
    goal_id UUID,
    pitch_id UUID,
    exchange_id UUID,
    follow_up_id UUID,
    -- The time of the last transition, or before all others.
    changed_sort TIMESTAMPTZ NOT NULL,
    is_open BOOLEAN NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, pitch_id) REFERENCES pitches (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, exchange_id) REFERENCES exchanges (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, follow_up_id) REFERENCES follow_ups (workspace_id, id) DEFERRABLE
);
CREATE INDEX feedback_created ON feedback (workspace_id, created_at, id);
CREATE INDEX feedback_updated ON feedback (workspace_id, updated_at, id);
CREATE INDEX feedback_changed ON feedback (workspace_id, changed_sort, id);
CREATE INDEX feedback_open ON feedback (workspace_id, changed_sort, id) WHERE is_open;
CREATE INDEX feedback_acted_on ON feedback (workspace_id, action_taken_on, id) WHERE action_taken_on IS NOT NULL;
CREATE INDEX feedback_contact ON feedback (workspace_id, contact_id, id);
CREATE INDEX feedback_goal ON feedback (workspace_id, goal_id, id) WHERE goal_id IS NOT NULL;
CREATE INDEX feedback_pitch ON feedback (workspace_id, pitch_id, id) WHERE pitch_id IS NOT NULL;
CREATE INDEX feedback_exchange ON feedback (workspace_id, exchange_id, id) WHERE exchange_id IS NOT NULL;
CREATE INDEX feedback_follow_up ON feedback (workspace_id, follow_up_id, id) WHERE follow_up_id IS NOT NULL;
