CREATE TABLE schema_version (
    version integer PRIMARY KEY,
    title text NOT NULL
);

CREATE TABLE journal (
    sequence bigint PRIMARY KEY,
    command_id text NOT NULL UNIQUE,
    body bytea NOT NULL,
    answer bytea NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    epoch bigint NOT NULL
);

CREATE TABLE snapshot (
    sequence bigint PRIMARY KEY,
    state_hash bytea NOT NULL,
    checksum bytea NOT NULL,
    parts bytea NOT NULL
);
