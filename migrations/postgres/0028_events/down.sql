DROP TABLE event_people;
DROP TABLE event_goals;
DROP TABLE events;
