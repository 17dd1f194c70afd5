ALTER TABLE interactions
    DROP COLUMN post_id,
    DROP COLUMN community_id,
    DROP COLUMN url_platform,
    DROP COLUMN is_engagement;
