-- What is derived from records is made anew when it is behind the program's.
ALTER TABLE instance ADD COLUMN derived_revision INTEGER NOT NULL DEFAULT 0;
