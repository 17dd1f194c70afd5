-- The newest change of a record that exists: a snapshot reads these alone, however often a record was edited.
ALTER TABLE changes ADD COLUMN is_newest INTEGER NOT NULL DEFAULT 0;
UPDATE changes SET is_newest = 1
    WHERE op <> 'deleted' AND NOT EXISTS (
        SELECT 1 FROM changes AS later
        WHERE later.workspace_id = changes.workspace_id AND later.record_id = changes.record_id
            AND later.entity = changes.entity AND later.seq > changes.seq
    );
CREATE INDEX changes_newest ON changes (workspace_id, seq) WHERE is_newest;
