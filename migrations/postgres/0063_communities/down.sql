DROP TABLE community_goals;
DROP TABLE community_contacts;
DROP TABLE communities;
