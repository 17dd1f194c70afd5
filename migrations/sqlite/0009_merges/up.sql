-- The tombstone of a record that was merged tells which one it lives on in.
ALTER TABLE changes ADD COLUMN merged_into_id BLOB;
