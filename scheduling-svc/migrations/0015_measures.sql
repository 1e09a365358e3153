-- What is likely to go wrong at offices, and how they do: kept by a worker for those who are to be told, and for scrapes.

-- Days of offices on which a breach was likely: each is told once.
CREATE TABLE breach_warnings (
    office_code text NOT NULL,
    day date NOT NULL,
    told_time timestamptz NOT NULL,
    PRIMARY KEY (office_code, day)
);
CREATE INDEX breach_warnings_by_day ON breach_warnings (day);

-- One row an office, written anew every quarter of an hour.
CREATE TABLE office_measures (
    office_code text PRIMARY KEY,
    measured_time timestamptz NOT NULL,
    -- Of the next five working days.
    capacity integer NOT NULL,
    booked integer NOT NULL,
    expected_breaches double precision NOT NULL,
    breach_probability double precision NOT NULL,
    -- Of the interviews booked on the last seven days that were counted; null where none was.
    within_target_ratio double precision,
    elapsed_seconds double precision,
    working_seconds double precision
);
