DROP INDEX events_ends;
