-- Derived from the records at every write: what happened with a contact, and once more under the workspace's own id what
-- happened with anybody. A page of one kind is a walk of the primary key.
CREATE TABLE timeline_entries (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    subject_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    sorted_at INTEGER NOT NULL,
    record_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, subject_id, kind, sorted_at, record_id)
) STRICT, WITHOUT ROWID;
