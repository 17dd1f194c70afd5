DROP INDEX follow_ups_completed;
ALTER TABLE follow_ups DROP COLUMN target_id, DROP COLUMN goal_id;
DROP INDEX interactions_counted;
DROP TABLE interaction_goals;
ALTER TABLE interactions DROP COLUMN goal_ids;
