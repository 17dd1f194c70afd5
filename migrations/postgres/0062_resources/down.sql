ALTER TABLE exchanges DROP COLUMN resource_id;
DROP TABLE resources;
