ALTER TABLE interactions DROP COLUMN status_reason;
