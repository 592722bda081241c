CREATE TABLE lease (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch bigint NOT NULL,
    holder text NOT NULL,
    backend integer NOT NULL,
    backend_start timestamptz NOT NULL,
    duration interval NOT NULL,
    expires_at timestamptz NOT NULL
);

INSERT INTO lease (epoch, holder, backend, backend_start, duration, expires_at)
VALUES (0, 'nobody', 0, '-infinity', '0', '-infinity');
