DROP INDEX record_keys_record;
CREATE INDEX record_keys_record ON record_keys (workspace_id, record_id);
DROP TABLE duplicate_dismissals;
