CREATE TABLE resources (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    kind TEXT NOT NULL,
    topics TEXT NOT NULL,
    note TEXT,
    event_id BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, event_id) REFERENCES events (workspace_id, id)
) STRICT;
CREATE INDEX resources_created ON resources (workspace_id, created_at, id);
CREATE INDEX resources_updated ON resources (workspace_id, updated_at, id);
CREATE INDEX resources_event ON resources (workspace_id, event_id, id) WHERE event_id IS NOT NULL;

-- SQLite adds a foreign key only with the table.
CREATE TABLE new_exchanges (
    workspace_id BLOB NOT NULL REFERENCES workspaces (id),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    contact_id BLOB NOT NULL,
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT,
    weight INTEGER NOT NULL,
    occurred_on TEXT NOT NULL,
    thanked_on TEXT,
    interaction_id BLOB,
    goal_id BLOB,
    origin TEXT NOT NULL,
    -- The weight, doubled for each half-life after 2020: sums of these fade alike.
    scaled_weight REAL NOT NULL,
    resource_id BLOB,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id),
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id),
    FOREIGN KEY (workspace_id, resource_id) REFERENCES resources (workspace_id, id)
) STRICT;
INSERT INTO new_exchanges (
    workspace_id, id, version, created_at, updated_at, contact_id, direction, kind, description,
    weight, occurred_on, thanked_on, interaction_id, goal_id, origin, scaled_weight
) SELECT
    workspace_id, id, version, created_at, updated_at, contact_id, direction, kind, description,
    weight, occurred_on, thanked_on, interaction_id, goal_id, origin, scaled_weight
FROM exchanges;
DROP TABLE exchanges;
ALTER TABLE new_exchanges RENAME TO exchanges;
CREATE INDEX exchanges_created ON exchanges (workspace_id, created_at, id);
CREATE INDEX exchanges_updated ON exchanges (workspace_id, updated_at, id);
CREATE INDEX exchanges_occurred ON exchanges (workspace_id, occurred_on, id);
-- With all that balances are summed up from.
CREATE INDEX exchanges_contact ON exchanges (workspace_id, contact_id, occurred_on, direction, thanked_on, scaled_weight, id);
CREATE INDEX exchanges_thanks ON exchanges (workspace_id, occurred_on, id) WHERE direction = 'received' AND thanked_on IS NULL;
CREATE INDEX exchanges_interaction ON exchanges (workspace_id, interaction_id, id) WHERE interaction_id IS NOT NULL;
CREATE INDEX exchanges_goal ON exchanges (workspace_id, goal_id, occurred_on, id) WHERE goal_id IS NOT NULL;
CREATE INDEX exchanges_resource ON exchanges (workspace_id, resource_id, contact_id, occurred_on, id) WHERE resource_id IS NOT NULL;
CREATE INDEX exchanges_contact_resource ON exchanges (workspace_id, contact_id, resource_id, occurred_on) WHERE resource_id IS NOT NULL;
