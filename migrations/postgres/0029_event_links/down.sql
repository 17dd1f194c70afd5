ALTER TABLE contacts ADD COLUMN sort_name TEXT;
UPDATE contacts SET sort_name = name_parts ->> 'sort_name';
ALTER TABLE contacts ALTER COLUMN sort_name SET NOT NULL;
ALTER TABLE contacts DROP COLUMN met_event_id;
ALTER TABLE interactions DROP COLUMN event_id;
ALTER TABLE follow_ups DROP COLUMN event_id;
ALTER TABLE plan_runs DROP COLUMN event_id;
ALTER TABLE pitch_uses DROP COLUMN event_id;
