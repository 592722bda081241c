CREATE TABLE schema_version (
    version INTEGER PRIMARY KEY,
    title TEXT NOT NULL
) STRICT;

INSERT INTO schema_version (version, title) VALUES (1, 'journal and snapshots');
