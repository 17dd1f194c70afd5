ALTER TABLE instance DROP COLUMN derived_revision;
