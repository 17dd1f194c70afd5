DROP INDEX refresh_tokens_session;
ALTER TABLE refresh_tokens ADD COLUMN predecessor_id BLOB;
CREATE INDEX refresh_tokens_session ON refresh_tokens (workspace_id, session_id, predecessor_id);
