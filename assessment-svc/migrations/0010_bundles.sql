-- Work taken along to interviews away from the office. No answer is kept here: only which facts went along, at which version.

CREATE TABLE bundles (
    bundle_id uuid PRIMARY KEY,
    state text NOT NULL DEFAULT 'TAKEN' CHECK (state IN ('TAKEN', 'RETURNED', 'DISCARDED')),
    taken_by text NOT NULL,
    office_code text NOT NULL,
    taken_time timestamptz NOT NULL,
    return_by timestamptz NOT NULL,
    -- The device's key, by which it signs what it brings back.
    device_key bytea NOT NULL,
    -- This service's own keys for the bundle, sealed; absent once it is back or given up.
    own_keys bytea,
    ended_by text,
    ended_time timestamptz,
    -- Why it was given up, sealed.
    reason bytea,
    CONSTRAINT bundles_keys_are_for_open_ones CHECK ((state = 'TAKEN') = (own_keys IS NOT NULL)),
    CONSTRAINT bundles_end_is_whole CHECK (num_nulls(nullif(state <> 'TAKEN', false), ended_by, ended_time) IN (0, 3))
);
CREATE INDEX bundles_out ON bundles (return_by) WHERE state = 'TAKEN';

CREATE TABLE bundle_claims (
    bundle_id uuid NOT NULL REFERENCES bundles,
    claim_ref text NOT NULL REFERENCES assessments,
    place integer NOT NULL,
    claim_version integer NOT NULL,
    facts text[] NOT NULL,
    -- The versions of the claim at which those facts were answered.
    answered_versions integer[] NOT NULL,
    -- The facts whose corrections intake was, or is about to be, asked for, and the version of the claim that they build on: so
    -- that a call which died on the way completes the same change.
    correcting text[],
    correcting_version integer,
    PRIMARY KEY (bundle_id, claim_ref),
    CONSTRAINT bundle_claims_correction_is_whole CHECK (num_nulls(correcting, correcting_version) IN (0, 2))
);
