-- When the member is notified next; in the past if that is due.
ALTER TABLE memberships ADD COLUMN notify_next_at INTEGER NOT NULL DEFAULT 0;
-- The last day of the workspace that the member was notified of.
ALTER TABLE memberships ADD COLUMN notified_on TEXT;
-- Raised with every change of the member's notifications.
ALTER TABLE memberships ADD COLUMN notifications_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX memberships_notify ON memberships (notify_next_at);

-- What a member was told of. Without foreign keys to the subjects: see src/store/notifications.rs.
CREATE TABLE notifications (
    workspace_id BLOB NOT NULL,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- The follow-up or contact; of a digest the user.
    subject_id BLOB NOT NULL,
    -- The day of the workspace that it is for.
    for_day TEXT NOT NULL,
    -- The day on which the subject fell due.
    due_on TEXT NOT NULL,
    -- What a digest counts.
    counts TEXT,
    created_at INTEGER NOT NULL,
    read_at INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id)
) STRICT;
CREATE UNIQUE INDEX notifications_subject ON notifications (workspace_id, user_id, kind, subject_id, due_on);
CREATE INDEX notifications_user ON notifications (workspace_id, user_id, id);
CREATE INDEX notifications_unread ON notifications (workspace_id, user_id, id) WHERE read_at IS NULL;
CREATE INDEX notifications_created ON notifications (created_at);
