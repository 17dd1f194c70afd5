-- What a workspace holds, so that its limits are checked without counting: its records, but for derived ones, and the
-- bytes of replies kept under Idempotency-Keys.
ALTER TABLE workspaces ADD COLUMN record_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN kept_reply_bytes BIGINT NOT NULL DEFAULT 0;

UPDATE workspaces SET record_count = (
    SELECT count(*) FROM (
    SELECT workspace_id FROM contacts
    UNION ALL SELECT workspace_id FROM organizations
    UNION ALL SELECT workspace_id FROM positions
    UNION ALL SELECT workspace_id FROM relationships
    UNION ALL SELECT workspace_id FROM needs
    UNION ALL SELECT workspace_id FROM tags
    UNION ALL SELECT workspace_id FROM duplicate_dismissals
    UNION ALL SELECT workspace_id FROM goals
    UNION ALL SELECT workspace_id FROM key_results
    UNION ALL SELECT workspace_id FROM check_ins
    UNION ALL SELECT workspace_id FROM targets
    UNION ALL SELECT workspace_id FROM pitches
    UNION ALL SELECT workspace_id FROM pitch_versions
    UNION ALL SELECT workspace_id FROM pitch_uses
    UNION ALL SELECT workspace_id FROM events
    UNION ALL SELECT workspace_id FROM event_people
    UNION ALL SELECT workspace_id FROM interactions
    UNION ALL SELECT workspace_id FROM follow_ups
    UNION ALL SELECT workspace_id FROM follow_up_plans
    UNION ALL SELECT workspace_id FROM plan_runs
    ) AS records WHERE records.workspace_id = workspaces.id
);

-- A long body is compressed. Of a batch only the results of writes are kept.
ALTER TABLE idempotency_keys ADD COLUMN reply BYTEA;
UPDATE idempotency_keys SET reply = convert_to(body, 'UTF8');
ALTER TABLE idempotency_keys DROP COLUMN body;
-- The scopes that the request required: a kept reply is given to nobody who lacks one. A JSON array.
ALTER TABLE idempotency_keys ADD COLUMN scopes JSONB NOT NULL DEFAULT '[]';
-- What it counts in its workspace.
ALTER TABLE idempotency_keys ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
