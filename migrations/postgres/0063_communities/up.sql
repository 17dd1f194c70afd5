CREATE TABLE communities (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    organization_id UUID,
    platform TEXT,
    url TEXT,
    kind TEXT NOT NULL,
    purpose TEXT,
    status TEXT NOT NULL,
    status_reason TEXT,
    joined_on TEXT,
    target_posts_per_month INTEGER,
    goal_ids JSONB NOT NULL,
    contact_ids JSONB NOT NULL,
    -- The name folded, so that both databases order it by its bytes.
    sort_key TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES organizations (workspace_id, id) DEFERRABLE
);
CREATE INDEX communities_created ON communities (workspace_id, created_at, id);
CREATE INDEX communities_updated ON communities (workspace_id, updated_at, id);
CREATE INDEX communities_sort ON communities (workspace_id, sort_key, id);
CREATE INDEX communities_organization ON communities (workspace_id, organization_id, id) WHERE organization_id IS NOT NULL;

-- Derived from communities.contact_ids at every write.
CREATE TABLE community_contacts (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    community_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    PRIMARY KEY (workspace_id, community_id, contact_id),
    FOREIGN KEY (workspace_id, community_id) REFERENCES communities (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contacts (workspace_id, id) DEFERRABLE
);
CREATE INDEX community_contacts_contact ON community_contacts (workspace_id, contact_id, community_id);

-- Derived from communities.goal_ids at every write.
CREATE TABLE community_goals (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    community_id UUID NOT NULL,
    goal_id UUID NOT NULL,
    PRIMARY KEY (workspace_id, community_id, goal_id),
    FOREIGN KEY (workspace_id, community_id) REFERENCES communities (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id) DEFERRABLE
);
CREATE INDEX community_goals_goal ON community_goals (workspace_id, goal_id, community_id);
