-- Times in which no interview is held, whatever the rotas say, and the interviews that nobody is there to hold.

-- Absences of an assessor may overlap: an illness that lasts longer is recorded once more.
CREATE TABLE absences (
    absence_id uuid PRIMARY KEY,
    assessor_id text NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    -- Why, sealed with the assessor's key.
    reason bytea NOT NULL,
    recorded_by text NOT NULL,
    recorded_time timestamptz NOT NULL,
    CONSTRAINT absences_have_a_length CHECK (start_time < end_time)
);
-- Those that are not over are few.
CREATE INDEX absences_of_an_assessor ON absences (assessor_id, end_time);

CREATE TABLE closures (
    closure_id uuid PRIMARY KEY,
    office_code text NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    -- Why, sealed with the office's key.
    reason bytea NOT NULL,
    recorded_by text NOT NULL,
    recorded_time timestamptz NOT NULL,
    CONSTRAINT closures_have_a_length CHECK (start_time < end_time)
);
CREATE INDEX closures_of_an_office ON closures (office_code, end_time);

-- Live interviews that nobody is there to hold, until they are moved or end. They stay in the diary.
CREATE TABLE displaced (
    appointment_id uuid PRIMARY KEY REFERENCES diary (appointment_id) ON DELETE CASCADE,
    since timestamptz NOT NULL
);
