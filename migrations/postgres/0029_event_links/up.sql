-- The sort name is neither filtered nor sorted by, so it stands with the other parts of the name.
UPDATE contacts SET name_parts = jsonb_set(name_parts, '{sort_name}', to_jsonb(sort_name));
ALTER TABLE contacts DROP COLUMN sort_name;

ALTER TABLE contacts
    ADD COLUMN met_event_id UUID,
    ADD FOREIGN KEY (workspace_id, met_event_id) REFERENCES events (workspace_id, id) DEFERRABLE;
CREATE INDEX contacts_met_event ON contacts (workspace_id, met_event_id, id) WHERE met_event_id IS NOT NULL;

ALTER TABLE interactions
    ADD COLUMN event_id UUID,
    ADD FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id) DEFERRABLE;
CREATE INDEX interactions_event ON interactions (workspace_id, event_id, id) WHERE event_id IS NOT NULL;

ALTER TABLE follow_ups
    ADD COLUMN event_id UUID,
    ADD FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id) DEFERRABLE;
CREATE INDEX follow_ups_event ON follow_ups (workspace_id, event_id, id) WHERE event_id IS NOT NULL;

ALTER TABLE plan_runs
    ADD COLUMN event_id UUID,
    ADD FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id) DEFERRABLE;
CREATE INDEX plan_runs_event ON plan_runs (workspace_id, event_id, id) WHERE event_id IS NOT NULL;

ALTER TABLE pitch_uses
    ADD COLUMN event_id UUID,
    ADD FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id) DEFERRABLE;
CREATE INDEX pitch_uses_event ON pitch_uses (workspace_id, event_id, id) WHERE event_id IS NOT NULL;
