DROP TABLE contact_activities;
DROP TABLE interaction_contacts;
DROP TABLE interactions;
