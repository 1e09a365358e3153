-- Claimants who would come sooner, and the days on which an office has time again.

CREATE TABLE waiting_list (
    appointment_id uuid PRIMARY KEY REFERENCES appointments ON DELETE CASCADE,
    office_codes text[] NOT NULL,
    by_telephone boolean NOT NULL,
    notice interval NOT NULL,
    joined_time timestamptz NOT NULL
);
CREATE INDEX waiting_list_offices ON waiting_list USING gin (office_codes);

-- Work for the worker of the list. `turn` tells of time that was freed while it was at it.
CREATE TABLE freed_days (
    office_code text NOT NULL,
    day date NOT NULL,
    turn integer NOT NULL DEFAULT 0,
    noted_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (office_code, day)
);
CREATE INDEX freed_days_in_turn ON freed_days (noted_time);
