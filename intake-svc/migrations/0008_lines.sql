-- What the telephone switch counted, by the quarter of an hour. A later report of a quarter replaces the earlier one.
CREATE TABLE quarter_hours (
    start timestamptz PRIMARY KEY CHECK (extract(epoch FROM start)::bigint % 900 = 0),
    offered integer NOT NULL CHECK (offered >= 0),
    answered integer NOT NULL CHECK (answered >= 0),
    abandoned integer NOT NULL CHECK (abandoned >= 0),
    answered_within_target integer NOT NULL CHECK (answered_within_target BETWEEN 0 AND answered),
    reported_time timestamptz NOT NULL,
    CHECK (answered + abandoned <= offered)
);
