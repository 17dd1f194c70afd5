-- Nothing to do here: it is about SQLite's index.
SELECT 1;
