ALTER TABLE workspaces ADD COLUMN tier_cadences JSONB NOT NULL DEFAULT '{}';

ALTER TABLE contacts ADD COLUMN cadence_since TEXT;
-- Copies of what contact_activities tells, for lists: a contact without a day stands before all others by the first and
-- behind all others by the second.
ALTER TABLE contacts ADD COLUMN last_interaction_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN next_contact_key TEXT COLLATE "C" NOT NULL DEFAULT '9999-99-99';
CREATE INDEX contacts_last_interaction ON contacts (workspace_id, last_interaction_key, id);
CREATE INDEX contacts_next_contact ON contacts (workspace_id, next_contact_key, id);

ALTER TABLE contact_activities ADD COLUMN next_contact_on TEXT;
ALTER TABLE contact_activities ADD COLUMN interval_days BIGINT;
-- Days since 1970: next_contact_on, and the first day on which it is due soon.
ALTER TABLE contact_activities ADD COLUMN due_day BIGINT;
ALTER TABLE contact_activities ADD COLUMN soon_day BIGINT;
CREATE INDEX contact_activities_due ON contact_activities (workspace_id, soon_day, due_day, interval_days, id);

-- What is planned, by when.
CREATE INDEX interactions_planned ON interactions (workspace_id, sorted_at, id) WHERE status = 'planned';
