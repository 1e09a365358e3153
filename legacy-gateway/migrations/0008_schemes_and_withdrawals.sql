-- Confirmed schemes that no system carries yet: each waits here until the system that takes it is deployed.
CREATE TABLE uncarried_schemes (
    claim_ref text NOT NULL,
    scheme text NOT NULL,
    claim_version integer NOT NULL,
    -- The platform's time.
    confirmed_time timestamptz NOT NULL,
    office_code text NOT NULL,
    assessor_id text NOT NULL,
    traceparent text NOT NULL,
    PRIMARY KEY (claim_ref, scheme)
);
CREATE INDEX uncarried_schemes_by_age ON uncarried_schemes (scheme, confirmed_time);

-- Withdrawn claims: from then on no transfer is made for them and none is sent, whatever is heard of later. `settled` is
-- empty while a transfer may still be accepted.
CREATE TABLE withdrawals (
    claim_ref text PRIMARY KEY,
    -- The platform's time.
    withdraw_time timestamptz NOT NULL,
    settled_time timestamptz
);
CREATE INDEX withdrawals_unsettled ON withdrawals (withdraw_time) WHERE settled_time IS NULL;

-- What a system holds of a withdrawn claim: a person ends it there. There is no record that withdraws a whole claim.
CREATE TABLE withdrawn_records (
    claim_ref text NOT NULL REFERENCES withdrawals,
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    -- Whether the system holds only phases before the last.
    half boolean NOT NULL,
    since timestamptz NOT NULL,
    removed_time timestamptz,
    removed_by text,
    PRIMARY KEY (claim_ref, system),
    CONSTRAINT withdrawn_records_removal_is_whole CHECK ((removed_time IS NULL) = (removed_by IS NULL))
);
CREATE INDEX withdrawn_records_open ON withdrawn_records (half, since) WHERE removed_time IS NULL;
