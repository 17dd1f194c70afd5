-- A refresh token follows from the one before it, so none has to say which that was.
DROP INDEX refresh_tokens_session;
ALTER TABLE refresh_tokens DROP COLUMN predecessor_id;
CREATE INDEX refresh_tokens_session ON refresh_tokens (workspace_id, session_id);
