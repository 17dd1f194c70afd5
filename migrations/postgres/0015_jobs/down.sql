ALTER TABLE changes DROP COLUMN actor_job;
DROP TABLE jobs;
