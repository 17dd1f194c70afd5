-- The tombstone of a record that was merged tells which one it lives on in.
ALTER TABLE changes ADD COLUMN merged_into_id UUID;
CREATE INDEX changes_merged ON changes (workspace_id, merged_into_id) WHERE merged_into_id IS NOT NULL;
