-- Deleting from the index without a trace made rewriting a document three times as slow. What is to leave no trace is a
-- purge, which has the whole index written anew.
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 0);
