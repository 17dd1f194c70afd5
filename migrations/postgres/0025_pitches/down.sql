DROP TABLE pitch_uses;
DROP TABLE pitch_versions;
DROP TABLE pitches;
