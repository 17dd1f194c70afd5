-- Where a reply is about a record, its URL and its ETag follow from the record's kind, id and version.
ALTER TABLE idempotency_keys DROP COLUMN location;
ALTER TABLE idempotency_keys DROP COLUMN etag;
ALTER TABLE idempotency_keys ADD COLUMN version INTEGER;
-- The number of the write that the request made; null where it changed nothing.
ALTER TABLE idempotency_keys ADD COLUMN write_seq INTEGER;
