-- Most have neither an introducer nor a parent: a write of these has no entry to make.
DROP INDEX contacts_introduced_by;
CREATE INDEX contacts_introduced_by ON contacts (workspace_id, introduced_by_id, id) WHERE introduced_by_id IS NOT NULL;
DROP INDEX organizations_parent;
CREATE INDEX organizations_parent ON organizations (workspace_id, parent_id, id) WHERE parent_id IS NOT NULL;
