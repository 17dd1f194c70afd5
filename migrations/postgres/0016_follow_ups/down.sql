DROP TABLE follow_up_contacts;
DROP TABLE follow_ups;
ALTER TABLE interactions DROP COLUMN status_reason;
