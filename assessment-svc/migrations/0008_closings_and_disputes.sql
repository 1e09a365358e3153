-- What ends without a confirmation, facts in dispute with both versions, and attendance at interviews.

-- Each scheme that was closed, and why. Those of a claim whose withdrawal intake told of are not here: it ends whole.
CREATE TABLE closings (
    claim_ref text NOT NULL REFERENCES assessments,
    scheme text NOT NULL,
    reason text NOT NULL,
    -- The claim that stands in the place of a duplicate.
    duplicate_of text,
    closed_by text NOT NULL,
    -- The platform's time.
    closed_time timestamptz NOT NULL,
    PRIMARY KEY (claim_ref, scheme)
);

-- A fact in dispute: the claimant's version is intake's answer at `answered_version`, the other one is sealed here.
CREATE TABLE disputes (
    claim_ref text NOT NULL REFERENCES assessments,
    fact text NOT NULL,
    number integer NOT NULL,
    answered_version integer NOT NULL,
    -- The other version and the reason, encrypted; null where only the doubt was recorded.
    sealed bytea,
    raised_by text NOT NULL,
    raised_time timestamptz NOT NULL,
    -- CONFIRMED: the claimant's version was right. CORRECTED: the record was changed. DROPPED: the fact was answered anew, is
    -- gone, or is to be checked again.
    outcome text CHECK (outcome IN ('CONFIRMED', 'CORRECTED', 'DROPPED')),
    settled_by text,
    settled_time timestamptz,
    PRIMARY KEY (claim_ref, fact, number),
    CONSTRAINT disputes_settlement_is_whole CHECK (num_nulls(outcome, settled_time) IN (0, 2))
);
-- A fact is in one dispute at a time.
CREATE UNIQUE INDEX disputes_open ON disputes (claim_ref, fact) WHERE outcome IS NULL;

-- What became of each interview of a claim; scheduling tells it, in any order.
CREATE TABLE attendances (
    appointment_id text PRIMARY KEY,
    claim_ref text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('ATTENDED', 'MISSED')),
    start_time timestamptz NOT NULL,
    heard_time timestamptz NOT NULL
);
CREATE INDEX attendances_of_claim ON attendances (claim_ref);

-- How many interviews were missed, and when the last of them was to be; null once another interview is booked.
ALTER TABLE assessments ADD COLUMN missed integer NOT NULL DEFAULT 0, ADD COLUMN missed_time timestamptz;
CREATE INDEX assessments_missed ON assessments (missed_time)
WHERE missed_time IS NOT NULL AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING');

-- The two clocks of a scheme stop with the first decision, which the gateway tells.
CREATE TABLE decisions (
    claim_ref text NOT NULL,
    scheme text NOT NULL,
    decided_time timestamptz NOT NULL,
    PRIMARY KEY (claim_ref, scheme)
);
