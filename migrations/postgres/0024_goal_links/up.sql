ALTER TABLE interactions ADD COLUMN goal_ids JSONB NOT NULL DEFAULT '[]';

-- Derived from interactions.goal_ids at every write.
CREATE TABLE interaction_goals (
    workspace_id UUID NOT NULL REFERENCES workspaces (id) DEFERRABLE,
    interaction_id UUID NOT NULL,
    goal_id UUID NOT NULL,
    PRIMARY KEY (workspace_id, interaction_id, goal_id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interactions (workspace_id, id) DEFERRABLE,
    FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id) DEFERRABLE
);
CREATE INDEX interaction_goals_goal ON interaction_goals (workspace_id, goal_id, interaction_id);

-- Key results count those of a period without reading the interactions themselves.
CREATE INDEX interactions_counted ON interactions (workspace_id, sorted_at, id, kind, direction, occurred_on)
    WHERE is_counted;

ALTER TABLE follow_ups
    ADD COLUMN goal_id UUID,
    ADD COLUMN target_id UUID,
    ADD FOREIGN KEY (workspace_id, goal_id) REFERENCES goals (workspace_id, id) DEFERRABLE,
    ADD FOREIGN KEY (workspace_id, target_id) REFERENCES targets (workspace_id, id) DEFERRABLE;
CREATE INDEX follow_ups_goal ON follow_ups (workspace_id, goal_id, id);
CREATE INDEX follow_ups_target ON follow_ups (workspace_id, target_id, id);
CREATE INDEX follow_ups_completed ON follow_ups (workspace_id, completed_at, id);
