-- Slots of the rotas, the appointments that hold them, and first contacts as intake tells of them.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE slots (
    slot_id uuid PRIMARY KEY,
    assessor_id text NOT NULL,
    office_code text NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    channel text NOT NULL CHECK (channel IN ('OFFICE', 'TELEPHONE', 'HOME_VISIT')),
    CONSTRAINT slots_of_an_assessor_do_not_overlap
        EXCLUDE USING gist (assessor_id WITH =, tstzrange(start_time, end_time) WITH &&)
);
CREATE INDEX slots_of_an_office ON slots (office_code, channel, start_time, assessor_id);

CREATE TABLE appointments (
    appointment_id uuid PRIMARY KEY,
    claim_ref text NOT NULL,
    slot_id uuid NOT NULL REFERENCES slots,
    state text NOT NULL CHECK (state IN ('BOOKED', 'MOVED', 'CANCELLED', 'ATTENDED', 'MISSED')),
    first_contact_time timestamptz NOT NULL,
    target_time timestamptz NOT NULL,
    working_lead_time interval NOT NULL,
    version integer NOT NULL,
    booked_time timestamptz NOT NULL
);
CREATE UNIQUE INDEX appointments_one_for_a_claim ON appointments (claim_ref) WHERE state IN ('BOOKED', 'MOVED');
CREATE UNIQUE INDEX appointments_one_for_a_slot ON appointments (slot_id) WHERE state IN ('BOOKED', 'MOVED');
CREATE INDEX appointments_of_a_claim ON appointments (claim_ref, booked_time);
CREATE INDEX appointments_booked ON appointments (booked_time);

CREATE TABLE first_contacts (
    claim_ref text PRIMARY KEY,
    first_contact_time timestamptz NOT NULL
);
