ALTER TABLE idempotency_keys DROP COLUMN write_seq;
ALTER TABLE idempotency_keys DROP COLUMN version;
ALTER TABLE idempotency_keys ADD COLUMN location TEXT;
ALTER TABLE idempotency_keys ADD COLUMN etag TEXT;
