-- Claims, the calls about them, and every answer that was ever given.
-- What a claimant said is encrypted; an HMAC stands for it where it has to be found.

CREATE TABLE claims (
    claim_ref text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'WITHDRAWN', 'CLOSED')),
    version integer NOT NULL CHECK (version > 0),
    language text NOT NULL CHECK (language IN ('EN', 'CY')),
    first_contact_time timestamptz NOT NULL,
    submit_time timestamptz,
    evidence_complete_time timestamptz,
    first_contact_recorded boolean NOT NULL,
    operator text NOT NULL,
    operator_grade text NOT NULL,
    -- Of the surname and the date of birth together, once both are known.
    person_lookup bytea,
    postcode_lookup bytea
);
CREATE INDEX claims_newest ON claims (state, first_contact_time DESC, claim_ref DESC);
CREATE INDEX claims_person ON claims (person_lookup) WHERE person_lookup IS NOT NULL;

-- The schemes of a claim. One open claim for each National Insurance number and scheme.
CREATE TABLE claim_schemes (
    claim_ref text NOT NULL REFERENCES claims,
    scheme text NOT NULL,
    nino_lookup bytea,
    open boolean NOT NULL,
    PRIMARY KEY (claim_ref, scheme)
);
CREATE UNIQUE INDEX one_open_claim ON claim_schemes (nino_lookup, scheme) WHERE open AND nino_lookup IS NOT NULL;
CREATE INDEX claim_schemes_nino ON claim_schemes (nino_lookup) WHERE nino_lookup IS NOT NULL;

-- Append-only. The current answer is the one of the highest version; `version` is the claim's, made by the answer.
CREATE TABLE answers (
    claim_ref text NOT NULL REFERENCES claims,
    question_id text NOT NULL,
    version integer NOT NULL,
    value bytea NOT NULL,
    record_form bytea,
    answered_by text NOT NULL,
    at timestamptz NOT NULL,
    reason bytea,
    script_version integer NOT NULL,
    PRIMARY KEY (claim_ref, question_id, version)
);

CREATE TABLE calls (
    call_id uuid PRIMARY KEY,
    claim_ref text NOT NULL REFERENCES claims,
    operator text NOT NULL,
    purpose text NOT NULL,
    language text NOT NULL,
    needs text[] NOT NULL,
    -- Relation, name and authority of who is on the line.
    caller bytea NOT NULL,
    security text NOT NULL CHECK (security IN ('REQUIRED', 'PASSED', 'FAILED')),
    security_questions text[] NOT NULL,
    tries_left integer NOT NULL CHECK (tries_left >= 0),
    started timestamptz NOT NULL,
    ended timestamptz,
    outcome text CHECK (outcome IN ('COMPLETED', 'CALL_BACK', 'ABANDONED', 'WRONG_NUMBER')),
    call_back_time timestamptz,
    CHECK ((ended IS NULL) = (outcome IS NULL))
);
CREATE INDEX calls_open ON calls (claim_ref, operator) WHERE ended IS NULL;
