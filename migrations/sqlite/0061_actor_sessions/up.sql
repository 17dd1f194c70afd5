-- The login that a change was made with, by which a device recognizes its own.
ALTER TABLE changes ADD COLUMN actor_session_id BLOB;
ALTER TABLE operations ADD COLUMN session_id BLOB;
