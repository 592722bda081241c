CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,
    command_id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    answer BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE snapshot (
    sequence INTEGER PRIMARY KEY,
    state_hash BLOB NOT NULL,
    checksum BLOB NOT NULL,
    parts BLOB NOT NULL
) STRICT;
