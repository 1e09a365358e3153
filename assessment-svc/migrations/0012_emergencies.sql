-- Decisions on crisis loans.

CREATE TABLE crisis_loans (
    claim_ref text PRIMARY KEY REFERENCES assessments,
    outcome text NOT NULL CHECK (outcome IN ('OFFERED', 'REFUSED')),
    -- What is lent and why, or why not, sealed with the claim's key.
    sealed bytea NOT NULL,
    -- The assessment's version that the decision made.
    version integer NOT NULL,
    office_code text NOT NULL,
    decided_by text NOT NULL,
    -- The platform's time.
    decided_time timestamptz NOT NULL
);
