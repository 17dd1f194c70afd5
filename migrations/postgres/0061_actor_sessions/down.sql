ALTER TABLE operations DROP COLUMN session_id;
ALTER TABLE changes DROP COLUMN actor_session_id;
