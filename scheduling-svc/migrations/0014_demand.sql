-- The history on which the forecast of demand rests, and what was learnt of it.

-- The office nearest to the claimant, where a booking named a postcode: the demand is that office's, whoever holds the interview.
ALTER TABLE appointments ADD COLUMN home_office_code text;

-- Interviews by the day in London on which they were booked, counted once the day is over. It outlives the appointments.
CREATE TABLE demand_days (
    day date NOT NULL,
    office_code text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('OFFICE', 'TELEPHONE', 'HOME_VISIT')),
    booked integer NOT NULL,
    -- Of those: that start by their target, and the sums of their lead times.
    within_target integer NOT NULL,
    elapsed_seconds double precision NOT NULL,
    working_seconds double precision NOT NULL,
    PRIMARY KEY (day, office_code, channel)
);

-- Days that were counted; some of them had no bookings.
CREATE TABLE counted_days (day date PRIMARY KEY);

-- What all offices have in common, by the history to a day: a factor for each weekday from Monday on, and the variance of a
-- count as a multiple of its mean. There is one row at most.
CREATE TABLE demand_pattern (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    until_day date NOT NULL,
    factors double precision[] NOT NULL CHECK (cardinality(factors) = 5),
    dispersion double precision NOT NULL,
    weeks integer NOT NULL
);

-- The demand of an office on a working day of factor 1.
CREATE TABLE demand_levels (
    office_code text NOT NULL,
    channel text NOT NULL,
    level double precision NOT NULL,
    PRIMARY KEY (office_code, channel)
);
