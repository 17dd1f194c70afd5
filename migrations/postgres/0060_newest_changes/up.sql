-- The newest change of a record that exists: a snapshot reads these alone, however often a record was edited.
ALTER TABLE changes ADD COLUMN is_newest BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE changes SET is_newest = TRUE
    WHERE op <> 'deleted' AND NOT EXISTS (
        SELECT 1 FROM changes AS later
        WHERE later.workspace_id = changes.workspace_id AND later.record_id = changes.record_id
            AND later.entity = changes.entity AND later.seq > changes.seq
    );
CREATE INDEX changes_newest ON changes (workspace_id, seq) WHERE is_newest;
