DROP INDEX organizations_parent;
CREATE INDEX organizations_parent ON organizations (workspace_id, parent_id, id);
DROP INDEX contacts_introduced_by;
CREATE INDEX contacts_introduced_by ON contacts (workspace_id, introduced_by_id, id);
