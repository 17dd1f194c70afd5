DROP TABLE targets;
DROP TABLE check_ins;
DROP TABLE key_results;
DROP TABLE goals;
