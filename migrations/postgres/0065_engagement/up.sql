ALTER TABLE interactions
    ADD COLUMN post_id UUID,
    ADD COLUMN community_id UUID,
    -- That of the URL.
    ADD COLUMN url_platform TEXT,
    -- Whether it is a comment, reaction or share that happened.
    ADD COLUMN is_engagement BOOLEAN NOT NULL DEFAULT false,
    ADD FOREIGN KEY (workspace_id, post_id) REFERENCES posts (workspace_id, id) DEFERRABLE,
    ADD FOREIGN KEY (workspace_id, community_id) REFERENCES communities (workspace_id, id) DEFERRABLE;
UPDATE interactions SET is_engagement = true
WHERE status = 'happened' AND kind IN ('comment', 'reaction', 'share');
CREATE INDEX interactions_post ON interactions (workspace_id, post_id, id) WHERE post_id IS NOT NULL;
CREATE INDEX interactions_community ON interactions (workspace_id, community_id, sorted_at, id) WHERE community_id IS NOT NULL;
-- With all that engagement is summed up from.
CREATE INDEX interactions_engagement ON interactions (
    workspace_id, sorted_at, id, direction, kind, occurred_on, community_id, post_id, url_platform
) WHERE is_engagement;
