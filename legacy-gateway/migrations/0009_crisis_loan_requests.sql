-- Crisis loans that were asked for in a call, before the claim is submitted: what SFCS is to be sent the same day.
CREATE TABLE crisis_loan_requests (
    claim_ref text PRIMARY KEY,
    claim_version integer NOT NULL CHECK (claim_version > 0),
    request_time timestamptz NOT NULL
);
