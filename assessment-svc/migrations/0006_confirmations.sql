-- Each scheme's confirmation as it was made: an assessment keeps only the last one's. Another service asks for it.
CREATE TABLE confirmations (
    claim_ref text NOT NULL REFERENCES assessments,
    scheme text NOT NULL,
    -- The version of the claim whose facts were confirmed.
    claim_version integer NOT NULL,
    office_code text NOT NULL,
    assessor_id text NOT NULL,
    -- The platform's time.
    confirm_time timestamptz NOT NULL,
    PRIMARY KEY (claim_ref, scheme)
);
