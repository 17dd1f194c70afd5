CREATE TABLE events (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    all_day BOOLEAN NOT NULL,
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ,
    starts_on TEXT,
    ends_on TEXT,
    time_zone TEXT,
    -- What is neither filtered nor sorted by: venue, links, cost, texts and the like.
    details JSONB NOT NULL,
    -- The instants at which it starts and ends, whether it has times or days.
    starts_sort TIMESTAMPTZ NOT NULL,
    ends_sort TIMESTAMPTZ NOT NULL,
    organizer_organization_id UUID,
    parent_id UUID,
    status TEXT NOT NULL,
    cancelled_at TIMESTAMPTZ,
    goal_ids JSONB NOT NULL,
    pitch_id UUID,
    objectives JSONB NOT NULL,
    checklist JSONB NOT NULL,
    role TEXT NOT NULL,
    participation TEXT NOT NULL,
    debrief JSONB,
    tags JSONB NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, organizer_organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, parent_id) REFERENCES events (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, pitch_id) REFERENCES pitches (workspace_id, id) DEFERRABLE
);
CREATE INDEX events_created ON events (workspace_id, created_at, id);
CREATE INDEX events_updated ON events (workspace_id, updated_at, id);
CREATE INDEX events_starts ON events (workspace_id, starts_sort, id);
CREATE INDEX events_participation ON events (workspace_id, participation, starts_sort, id);
CREATE INDEX events_parent ON events (workspace_id, parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX events_organizer ON events (workspace_id, organizer_organization_id, id) WHERE organizer_organization_id IS NOT NULL;
CREATE INDEX events_pitch ON events (workspace_id, pitch_id, id) WHERE pitch_id IS NOT NULL;

-- Derived from events.goal_ids at every write.
CREATE TABLE event_goals (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    event_id UUID NOT NULL,
    goal_id UUID NOT NULL,
    PRIMARY KEY (workspace_id, event_id, goal_id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id) DEFERRABLE
);
CREATE INDEX event_goals_goal ON event_goals (workspace_id, goal_id, event_id);

CREATE TABLE event_people (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    event_id UUID NOT NULL,
    contact_id UUID,
    role TEXT NOT NULL,
    priority INTEGER NOT NULL,
    why TEXT,
    research TEXT,
    talking_points JSONB NOT NULL,
    questions JSONB NOT NULL,
    stage TEXT NOT NULL,
    met_at TIMESTAMPTZ,
    note TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE INDEX event_people_created ON event_people (workspace_id, created_at, id);
CREATE INDEX event_people_updated ON event_people (workspace_id, updated_at, id);
CREATE INDEX event_people_priority ON event_people (workspace_id, priority, id);
CREATE INDEX event_people_event ON event_people (workspace_id, event_id, priority, id);
CREATE INDEX event_people_contact ON event_people (workspace_id, contact_id, event_id, id);
CREATE INDEX event_people_stage ON event_people (workspace_id, stage, priority, id);
CREATE INDEX event_people_met ON event_people (workspace_id, met_at, contact_id, id) WHERE met_at IS NOT NULL;
