CREATE TABLE events (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    all_day INTEGER NOT NULL,
    starts_at INTEGER,
    ends_at INTEGER,
    starts_on TEXT,
    ends_on TEXT,
    time_zone TEXT,
    -- What is neither filtered nor sorted by: venue, links, cost, texts and the like.
    details TEXT NOT NULL,
    -- The instants at which it starts and ends, whether it has times or days.
    starts_sort INTEGER NOT NULL,
    ends_sort INTEGER NOT NULL,
    organizer_organization_id BLOB,
    parent_id BLOB,
    status TEXT NOT NULL,
    cancelled_at INTEGER,
    goal_ids TEXT NOT NULL,
    pitch_id BLOB,
    objectives TEXT NOT NULL,
    checklist TEXT NOT NULL,
    role TEXT NOT NULL,
    participation TEXT NOT NULL,
    debrief TEXT,
    tags TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, organizer_organization_id) REFERENCES organizations (workspace_id, id),
    FOREIGN KEY (workspace_id, parent_id) REFERENCES events (workspace_id, id),
    FOREIGN KEY (workspace_id, pitch_id) REFERENCES pitches (workspace_id, id)
) STRICT;
CREATE INDEX events_created ON events (workspace_id, created_at, id);
CREATE INDEX events_updated ON events (workspace_id, updated_at, id);
CREATE INDEX events_starts ON events (workspace_id, starts_sort, id);
CREATE INDEX events_participation ON events (workspace_id, participation, starts_sort, id);
CREATE INDEX events_parent ON events (workspace_id, parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX events_organizer ON events (workspace_id, organizer_organization_id, id) WHERE organizer_organization_id IS NOT NULL;
CREATE INDEX events_pitch ON events (workspace_id, pitch_id, id) WHERE pitch_id IS NOT NULL;

-- Derived from events.goal_ids at every write.
CREATE TABLE event_goals (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    event_id BLOB NOT NULL,
    goal_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, event_id, goal_id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id)
) STRICT;
CREATE INDEX event_goals_goal ON event_goals (workspace_id, goal_id, event_id);

CREATE TABLE event_people (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    contact_id BLOB,
    role TEXT NOT NULL,
    priority INTEGER NOT NULL,
    why TEXT,
    research TEXT,
    talking_points TEXT NOT NULL,
    questions TEXT NOT NULL,
    stage TEXT NOT NULL,
    met_at INTEGER,
    note TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id)
) STRICT;
CREATE INDEX event_people_created ON event_people (workspace_id, created_at, id);
CREATE INDEX event_people_updated ON event_people (workspace_id, updated_at, id);
CREATE INDEX event_people_priority ON event_people (workspace_id, priority, id);
CREATE INDEX event_people_event ON event_people (workspace_id, event_id, priority, id);
CREATE INDEX event_people_contact ON event_people (workspace_id, contact_id, event_id, id);
CREATE INDEX event_people_stage ON event_people (workspace_id, stage, priority, id);
CREATE INDEX event_people_met ON event_people (workspace_id, met_at, contact_id, id) WHERE met_at IS NOT NULL;
