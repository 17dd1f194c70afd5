-- The rows themselves in the order of the key: before, each key was stored three times, in the table and in two indexes.
CREATE TABLE keys_in_order (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    entity TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    record_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, entity, kind, value, record_id)
) STRICT, WITHOUT ROWID;
INSERT INTO keys_in_order SELECT workspace_id, entity, kind, value, record_id FROM record_keys;
DROP TABLE record_keys;
ALTER TABLE keys_in_order RENAME TO record_keys;
CREATE INDEX record_keys_record ON record_keys (workspace_id, record_id, entity, kind, value);

-- Most have neither an introducer nor a parent: a write of these has no entry to make.
DROP INDEX contacts_introduced_by;
CREATE INDEX contacts_introduced_by ON contacts (workspace_id, introduced_by_id, id) WHERE introduced_by_id IS NOT NULL;
DROP INDEX organizations_parent;
CREATE INDEX organizations_parent ON organizations (workspace_id, parent_id, id) WHERE parent_id IS NOT NULL;

-- Results are not ranked by how long documents are, so these lengths are not kept; and merging parts of the index half as
-- often makes a write cheaper than it makes a search dearer.
DROP TABLE search_index;
CREATE VIRTUAL TABLE search_index USING fts5 (
    tokens, content = 'search_documents', content_rowid = 'document_id', detail = 'none', columnsize = 0,
    tokenize = "ascii tokenchars ':'"
);
INSERT INTO search_index (search_index, rank) VALUES ('automerge', 8);
INSERT INTO search_index (search_index) VALUES ('rebuild');
