-- SQLite drops a column with a foreign key only with the table.
CREATE TABLE old_contacts (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The networker's own entry: one a workspace.
    is_self INTEGER NOT NULL,
    name TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    -- sort_name folded, so that both databases order it by its bytes.
    sort_key TEXT NOT NULL,
    given_name TEXT,
    family_name TEXT,
    -- The other parts of the name, and how it is said.
    name_parts TEXT NOT NULL,
    -- What is neither filtered nor sorted by: headline, location, skills, languages and the like.
    profile TEXT NOT NULL,
    about TEXT,
    notes TEXT,
    emails TEXT NOT NULL,
    phones TEXT NOT NULL,
    links TEXT NOT NULL,
    addresses TEXT NOT NULL,
    dates TEXT NOT NULL,
    how_met TEXT,
    introduced_by_id BLOB,
    known INTEGER NOT NULL,
    tier TEXT,
    cadence TEXT,
    tags TEXT NOT NULL,
    favorite INTEGER NOT NULL,
    archived_at INTEGER,
    do_not_contact INTEGER NOT NULL,
    cadence_since TEXT,
    last_interaction_key TEXT NOT NULL DEFAULT '',
    next_contact_key TEXT NOT NULL DEFAULT '9999-99-99',
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, introduced_by_id) REFERENCES contacts (workspace_id, id)
) STRICT;
INSERT INTO old_contacts (
    workspace_id, id, version, created_at, updated_at, is_self, name, sort_name, sort_key,
    given_name, family_name, name_parts, profile, about, notes, emails, phones, links, addresses,
    dates, how_met, introduced_by_id, known, tier, cadence, tags, favorite, archived_at,
    do_not_contact, cadence_since, last_interaction_key, next_contact_key
) SELECT
    workspace_id, id, version, created_at, updated_at, is_self, name, json_extract(name_parts, '$.sort_name'), sort_key,
    given_name, family_name, name_parts, profile, about, notes, emails, phones, links, addresses,
    dates, how_met, introduced_by_id, known, tier, cadence, tags, favorite, archived_at,
    do_not_contact, cadence_since, last_interaction_key, next_contact_key
FROM contacts;
DROP TABLE contacts;
ALTER TABLE old_contacts RENAME TO contacts;
CREATE UNIQUE INDEX contacts_self ON contacts (workspace_id) WHERE is_self;
CREATE INDEX contacts_created ON contacts (workspace_id, created_at, id);
CREATE INDEX contacts_updated ON contacts (workspace_id, updated_at, id);
CREATE INDEX contacts_sort ON contacts (workspace_id, sort_key, id);
CREATE INDEX contacts_favorite ON contacts (workspace_id, id) WHERE favorite;
CREATE INDEX contacts_to_meet ON contacts (workspace_id, id) WHERE NOT known;
CREATE INDEX contacts_archived ON contacts (workspace_id, id) WHERE archived_at IS NOT NULL;
CREATE INDEX contacts_last_interaction ON contacts (workspace_id, last_interaction_key, id);
CREATE INDEX contacts_next_contact ON contacts (workspace_id, next_contact_key, id);
CREATE INDEX contacts_introduced_by ON contacts (workspace_id, introduced_by_id, id) WHERE introduced_by_id IS NOT NULL;

CREATE TABLE old_interactions (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_ids TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    direction TEXT NOT NULL,
    occurred_at INTEGER,
    occurred_on TEXT,
    -- When it was, or the end of its day.
    sorted_at INTEGER NOT NULL,
    duration_minutes INTEGER,
    channel TEXT,
    subject TEXT,
    body TEXT,
    location TEXT,
    url TEXT,
    quality INTEGER,
    counts INTEGER,
    -- Whether it happened, and counts by itself or by its kind.
    is_counted INTEGER NOT NULL,
    status_reason TEXT,
    goal_ids TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (workspace_id, id)
) STRICT;
INSERT INTO old_interactions (
    workspace_id, id, version, created_at, updated_at, contact_ids, kind, status, direction,
    occurred_at, occurred_on, sorted_at, duration_minutes, channel, subject, body, location, url,
    quality, counts, is_counted, status_reason, goal_ids
) SELECT
    workspace_id, id, version, created_at, updated_at, contact_ids, kind, status, direction,
    occurred_at, occurred_on, sorted_at, duration_minutes, channel, subject, body, location, url,
    quality, counts, is_counted, status_reason, goal_ids
FROM interactions;
DROP TABLE interactions;
ALTER TABLE old_interactions RENAME TO interactions;
CREATE INDEX interactions_created ON interactions (workspace_id, created_at, id);
CREATE INDEX interactions_updated ON interactions (workspace_id, updated_at, id);
CREATE INDEX interactions_sorted ON interactions (workspace_id, sorted_at, id);
CREATE INDEX interactions_planned ON interactions (workspace_id, sorted_at, id) WHERE status = 'planned';
CREATE INDEX interactions_counted ON interactions (workspace_id, sorted_at, id, kind, direction, occurred_on)
    WHERE is_counted;

CREATE TABLE old_follow_ups (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title TEXT NOT NULL,
    body TEXT,
    contact_ids TEXT NOT NULL,
    organization_id BLOB,
    kind TEXT NOT NULL,
    owed_by TEXT NOT NULL,
    due_on TEXT,
    -- The day, or the last one there is.
    due_sort TEXT NOT NULL,
    due_time TEXT,
    priority INTEGER NOT NULL,
    channel TEXT,
    status TEXT NOT NULL,
    status_reason TEXT,
    snoozed_until TEXT,
    -- The later one of due_on and snoozed_until.
    actionable_on TEXT,
    -- The day, or the last one there is.
    actionable_sort TEXT NOT NULL,
    completed_at INTEGER,
    recurrence TEXT,
    series_id BLOB,
    previous_id BLOB,
    outcome TEXT,
    origin TEXT NOT NULL,
    interaction_id BLOB,
    goal_id BLOB,
    target_id BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id),
    FOREIGN KEY (workspace_id, previous_id) REFERENCES follow_ups (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id),
    FOREIGN KEY (workspace_id, target_id) REFERENCES targets (workspace_id, id)
) STRICT;
INSERT INTO old_follow_ups (
    workspace_id, id, version, created_at, updated_at, title, body, contact_ids, organization_id,
    kind, owed_by, due_on, due_sort, due_time, priority, channel, status, status_reason,
    snoozed_until, actionable_on, actionable_sort, completed_at, recurrence, series_id, previous_id,
    outcome, origin, interaction_id, goal_id, target_id
) SELECT
    workspace_id, id, version, created_at, updated_at, title, body, contact_ids, organization_id,
    kind, owed_by, due_on, due_sort, due_time, priority, channel, status, status_reason,
    snoozed_until, actionable_on, actionable_sort, completed_at, recurrence, series_id, previous_id,
    outcome, origin, interaction_id, goal_id, target_id
FROM follow_ups;
DROP TABLE follow_ups;
ALTER TABLE old_follow_ups RENAME TO follow_ups;
CREATE INDEX follow_ups_created ON follow_ups (workspace_id, created_at, id);
CREATE INDEX follow_ups_updated ON follow_ups (workspace_id, updated_at, id);
CREATE INDEX follow_ups_due ON follow_ups (workspace_id, due_sort, id);
CREATE INDEX follow_ups_actionable ON follow_ups (workspace_id, actionable_sort, id);
CREATE INDEX follow_ups_status ON follow_ups (workspace_id, status, actionable_sort, id);
CREATE INDEX follow_ups_priority ON follow_ups (workspace_id, priority, id);
CREATE INDEX follow_ups_organization ON follow_ups (workspace_id, organization_id, id);
CREATE INDEX follow_ups_interaction ON follow_ups (workspace_id, interaction_id, id);
CREATE INDEX follow_ups_previous ON follow_ups (workspace_id, previous_id, id);
CREATE INDEX follow_ups_goal ON follow_ups (workspace_id, goal_id, id);
CREATE INDEX follow_ups_target ON follow_ups (workspace_id, target_id, id);
CREATE INDEX follow_ups_completed ON follow_ups (workspace_id, completed_at, id);

CREATE TABLE old_plan_runs (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    plan_id BLOB,
    built_in TEXT,
    title TEXT NOT NULL,
    contact_id BLOB NOT NULL,
    anchor_on TEXT NOT NULL,
    steps TEXT NOT NULL,
    skip_weekends INTEGER NOT NULL,
    position INTEGER NOT NULL,
    follow_up_id BLOB,
    status TEXT NOT NULL,
    status_reason TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, plan_id) REFERENCES follow_up_plans (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, follow_up_id) REFERENCES follow_ups (workspace_id, id)
) STRICT;
INSERT INTO old_plan_runs (
    workspace_id, id, version, created_at, updated_at, plan_id, built_in, title, contact_id,
    anchor_on, steps, skip_weekends, position, follow_up_id, status, status_reason
) SELECT
    workspace_id, id, version, created_at, updated_at, plan_id, built_in, title, contact_id,
    anchor_on, steps, skip_weekends, position, follow_up_id, status, status_reason
FROM plan_runs;
DROP TABLE plan_runs;
ALTER TABLE old_plan_runs RENAME TO plan_runs;
CREATE INDEX plan_runs_created ON plan_runs (workspace_id, created_at, id);
CREATE INDEX plan_runs_updated ON plan_runs (workspace_id, updated_at, id);
CREATE INDEX plan_runs_contact ON plan_runs (workspace_id, contact_id, anchor_on, id);
CREATE INDEX plan_runs_plan ON plan_runs (workspace_id, plan_id, id);
CREATE INDEX plan_runs_follow_up ON plan_runs (workspace_id, follow_up_id, id);
CREATE INDEX plan_runs_status ON plan_runs (workspace_id, status, id);

CREATE TABLE old_pitch_uses (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    pitch_id BLOB NOT NULL,
    used_on TEXT NOT NULL,
    contact_id BLOB,
    landed INTEGER,
    note TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, pitch_id) REFERENCES pitches (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT;
INSERT INTO old_pitch_uses (
    workspace_id, id, version, created_at, updated_at, pitch_id, used_on, contact_id, landed, note
) SELECT
    workspace_id, id, version, created_at, updated_at, pitch_id, used_on, contact_id, landed, note
FROM pitch_uses;
DROP TABLE pitch_uses;
ALTER TABLE old_pitch_uses RENAME TO pitch_uses;
CREATE INDEX pitch_uses_created ON pitch_uses (workspace_id, created_at, id);
CREATE INDEX pitch_uses_updated ON pitch_uses (workspace_id, updated_at, id);
CREATE INDEX pitch_uses_used ON pitch_uses (workspace_id, used_on, id);
CREATE INDEX pitch_uses_pitch ON pitch_uses (workspace_id, pitch_id, used_on, id);
CREATE INDEX pitch_uses_contact ON pitch_uses (workspace_id, contact_id, id);
