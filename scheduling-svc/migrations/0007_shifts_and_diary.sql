-- What assessors work, and what takes their time. A slot is computed of both: it is a row no more.

-- The published work of assessors. An assessor's shifts never overlap.
CREATE TABLE shifts (
    assessor_id text NOT NULL,
    office_code text NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    channel text NOT NULL CHECK (channel IN ('OFFICE', 'TELEPHONE', 'HOME_VISIT')),
    -- The skills that the assessor uses in it, by their codes.
    skills text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (assessor_id, start_time),
    -- The search for what a shift covers looks back no further than fourteen hours.
    CONSTRAINT shifts_have_a_length CHECK (start_time < end_time AND end_time <= start_time + interval '14 hours'),
    CONSTRAINT shifts_of_an_assessor_do_not_overlap
        EXCLUDE USING gist (assessor_id WITH =, tstzrange(start_time, end_time) WITH &&)
);
CREATE INDEX shifts_of_an_office ON shifts (office_code, channel, start_time, assessor_id);
-- For those that are over.
CREATE INDEX shifts_by_time ON shifts (end_time);

-- Live appointments, with the travel before and after them, and slots that are held for a call. What is over leaves it.
CREATE TABLE diary (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    assessor_id text NOT NULL,
    claim_ref text NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    -- Null for a slot that is held.
    appointment_id uuid UNIQUE REFERENCES appointments ON DELETE CASCADE,
    -- Until when a slot is held, by real time; null for an appointment.
    held_until timestamptz,
    CONSTRAINT diary_entries_have_a_length CHECK (start_time < end_time),
    CONSTRAINT diary_entries_are_booked_or_held CHECK ((appointment_id IS NULL) <> (held_until IS NULL)),
    CONSTRAINT diary_of_an_assessor_does_not_overlap
        EXCLUDE USING gist (assessor_id WITH =, tstzrange(start_time, end_time) WITH &&)
);
CREATE INDEX diary_of_an_assessor ON diary (assessor_id, start_time);
CREATE INDEX diary_of_a_call ON diary (claim_ref) WHERE appointment_id IS NULL;
CREATE INDEX diary_by_time ON diary (end_time);

-- Both change all the time and are small: vacuum after 2 per cent has changed.
ALTER TABLE shifts SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE diary SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
