ALTER TABLE interactions ADD COLUMN status_reason TEXT;
