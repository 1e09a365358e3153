-- What each amendment of a claim changed: names of facts, never an answer. The maps say which systems' records these feed.
CREATE TABLE amended_facts (
    claim_ref text NOT NULL,
    claim_version integer NOT NULL,
    facts text[] NOT NULL,
    PRIMARY KEY (claim_ref, claim_version)
);

-- First phases that a system is asked to give up, until it has: the claim was amended before its last phase went, or its
-- last phase was given up.
CREATE TABLE first_phase_withdrawals (
    transfer_id text PRIMARY KEY REFERENCES transfers,
    claim_ref text NOT NULL,
    system text NOT NULL,
    -- The platform's time.
    since timestamptz NOT NULL,
    done_time timestamptz,
    -- Real time; without one nobody tries, because the system says that the phase is used: a person looks.
    next_attempt_time timestamptz DEFAULT statement_timestamp(),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0)
);
CREATE INDEX first_phase_withdrawals_due ON first_phase_withdrawals (next_attempt_time) WHERE done_time IS NULL;
CREATE INDEX first_phase_withdrawals_open ON first_phase_withdrawals (claim_ref, system) WHERE done_time IS NULL;
