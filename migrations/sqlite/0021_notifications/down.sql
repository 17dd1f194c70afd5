DROP TABLE notifications;
DROP INDEX memberships_notify;
ALTER TABLE memberships DROP COLUMN notifications_version;
ALTER TABLE memberships DROP COLUMN notified_on;
ALTER TABLE memberships DROP COLUMN notify_next_at;
