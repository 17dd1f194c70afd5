ALTER TABLE idempotency_keys DROP COLUMN bytes;
ALTER TABLE idempotency_keys DROP COLUMN scopes;
DELETE FROM idempotency_keys;
ALTER TABLE idempotency_keys DROP COLUMN reply;
ALTER TABLE idempotency_keys ADD COLUMN body TEXT;
ALTER TABLE workspaces DROP COLUMN kept_reply_bytes;
ALTER TABLE workspaces DROP COLUMN record_count;
