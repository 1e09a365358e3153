-- Schemes of a claim that ended without a decision: its authority is told that the benefit was withdrawn.
CREATE TABLE closed_schemes (
    claim_ref text NOT NULL,
    scheme text NOT NULL,
    closed_on date NOT NULL,
    PRIMARY KEY (claim_ref, scheme)
);
