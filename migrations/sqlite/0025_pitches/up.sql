CREATE TABLE pitches (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title TEXT NOT NULL,
    audience TEXT,
    goal_id BLOB,
    hook TEXT,
    body TEXT NOT NULL,
    call_to_action TEXT,
    language TEXT,
    target_seconds INTEGER,
    spoken_seconds INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id)
) STRICT;
CREATE INDEX pitches_created ON pitches (workspace_id, created_at, id);
CREATE INDEX pitches_updated ON pitches (workspace_id, updated_at, id);
CREATE INDEX pitches_goal ON pitches (workspace_id, goal_id, id);

-- Earlier wordings.
CREATE TABLE pitch_versions (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    pitch_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    hook TEXT,
    body TEXT NOT NULL,
    call_to_action TEXT,
    language TEXT,
    spoken_seconds INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, pitch_id) REFERENCES pitches (workspace_id, id)
) STRICT;
CREATE INDEX pitch_versions_created ON pitch_versions (workspace_id, created_at, id);
CREATE INDEX pitch_versions_updated ON pitch_versions (workspace_id, updated_at, id);
CREATE INDEX pitch_versions_pitch ON pitch_versions (workspace_id, pitch_id, number, id);

CREATE TABLE pitch_uses (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    pitch_id BLOB NOT NULL,
    used_on TEXT NOT NULL,
    contact_id BLOB,
    landed INTEGER,
    note TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, pitch_id) REFERENCES pitches (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT;
CREATE INDEX pitch_uses_created ON pitch_uses (workspace_id, created_at, id);
CREATE INDEX pitch_uses_updated ON pitch_uses (workspace_id, updated_at, id);
CREATE INDEX pitch_uses_used ON pitch_uses (workspace_id, used_on, id);
CREATE INDEX pitch_uses_pitch ON pitch_uses (workspace_id, pitch_id, used_on, id);
CREATE INDEX pitch_uses_contact ON pitch_uses (workspace_id, contact_id, id);
