-- The assessor's work. No answer of a claimant is kept here: items hold a fact's name and the version of its answer.

CREATE TABLE assessments (
    claim_ref text PRIMARY KEY,
    state text NOT NULL DEFAULT 'READY' CHECK (state IN ('READY', 'IN_PROGRESS', 'CONFIRMED')),
    version integer NOT NULL DEFAULT 1,
    -- The version of the claim that the items cover; 0 before there are any.
    claim_version integer NOT NULL DEFAULT 0,
    -- Absent while only the booking was heard of: then the claim is not yet work.
    submit_time timestamptz,
    schemes text[] NOT NULL DEFAULT '{}',
    confirmed_schemes text[] NOT NULL DEFAULT '{}',
    confirmed_by text,
    confirmed_time timestamptz,
    appointment_id text,
    office_code text,
    assessor_id text,
    start_time timestamptz,
    channel text,
    booked_time timestamptz,
    CONSTRAINT assessments_work_is_submitted CHECK (state = 'READY' OR submit_time IS NOT NULL),
    CONSTRAINT assessments_booking_is_whole CHECK (
        num_nulls(appointment_id, office_code, assessor_id, start_time, channel, booked_time) IN (0, 6)
    )
);
CREATE INDEX assessments_waiting ON assessments ((state = 'CONFIRMED'), submit_time, claim_ref)
    WHERE submit_time IS NOT NULL;
CREATE INDEX assessments_of_office ON assessments (office_code, start_time);

CREATE TABLE items (
    claim_ref text NOT NULL REFERENCES assessments,
    fact text NOT NULL,
    -- The version of the claim at which the fact was answered.
    answered_version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('UNCHECKED', 'CONFIRMED', 'CORRECTED', 'DISPUTED')),
    evidence_kind text,
    seen_on date,
    checked_by text,
    checked_time timestamptz,
    PRIMARY KEY (claim_ref, fact),
    CONSTRAINT items_evidence_is_whole CHECK ((evidence_kind IS NULL) = (seen_on IS NULL))
);

-- What each paying system said last; told by the gateway, in any order.
CREATE TABLE outcomes (
    claim_ref text NOT NULL,
    system text NOT NULL,
    accepted_time timestamptz,
    rejected_time timestamptz,
    rejected_transfer_id text,
    rejected_question_ids text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (claim_ref, system)
);
