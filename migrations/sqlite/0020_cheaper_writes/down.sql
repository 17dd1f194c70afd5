DROP TABLE search_index;
CREATE VIRTUAL TABLE search_index USING fts5 (
    tokens, content = 'search_documents', content_rowid = 'document_id', detail = 'none',
    tokenize = "ascii tokenchars ':'"
);
INSERT INTO search_index (search_index) VALUES ('rebuild');

DROP INDEX organizations_parent;
CREATE INDEX organizations_parent ON organizations (workspace_id, parent_id, id);
DROP INDEX contacts_introduced_by;
CREATE INDEX contacts_introduced_by ON contacts (workspace_id, introduced_by_id, id);

CREATE TABLE keys_by_rowid (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    entity TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    record_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, entity, kind, value, record_id)
) STRICT;
INSERT INTO keys_by_rowid SELECT workspace_id, entity, kind, value, record_id FROM record_keys;
DROP TABLE record_keys;
ALTER TABLE keys_by_rowid RENAME TO record_keys;
CREATE INDEX record_keys_record ON record_keys (workspace_id, record_id, entity, kind, value);
