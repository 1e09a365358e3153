-- Claims that their systems hold whole and on which nobody has decided. A row goes when the claim is decided or withdrawn.
CREATE TABLE undecided (
    claim_ref text NOT NULL,
    scheme text NOT NULL,
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    legacy_ref text NOT NULL,
    -- The platform's times.
    confirmed_time timestamptz NOT NULL,
    accepted_time timestamptz NOT NULL,
    deadline_time timestamptz NOT NULL,
    PRIMARY KEY (claim_ref, scheme)
);
CREATE INDEX undecided_by_age ON undecided (scheme, accepted_time, claim_ref);
CREATE INDEX undecided_by_deadline ON undecided (deadline_time, claim_ref);

-- Decisions: one for a claim and scheme; a correction is a new version, and the earlier ones stay.
CREATE TABLE decisions (
    claim_ref text NOT NULL,
    scheme text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    outcome text NOT NULL CHECK (outcome IN ('AWARDED', 'DISALLOWED')),
    basis text CHECK (basis IN ('INCOME', 'CONTRIBUTION', 'BOTH')),
    from_day date NOT NULL,
    to_day date,
    decided_by text NOT NULL,
    -- The platform's time.
    decided_time timestamptz NOT NULL,
    PRIMARY KEY (claim_ref, scheme, version),
    CONSTRAINT decisions_days CHECK (to_day IS NULL OR to_day >= from_day),
    CONSTRAINT decisions_basis
    CHECK ((basis IS NOT NULL) = (scheme = 'JOBSEEKERS_ALLOWANCE' AND outcome = 'AWARDED'))
);

-- What the release before this one had accepted is undecided as well. The target of Jobseeker's Allowance is twelve working
-- days, which are sixteen days where no bank holiday is among them.
INSERT INTO undecided (claim_ref, scheme, system, legacy_ref, confirmed_time, accepted_time, deadline_time)
SELECT DISTINCT ON (claim_ref) claim_ref, 'JOBSEEKERS_ALLOWANCE', system, legacy_ref, confirmed_time, updated,
    confirmed_time + interval '16 days'
FROM transfers
WHERE system = 'JSAPS' AND phase = 2 AND state = 'ACCEPTED'
    AND NOT EXISTS (SELECT FROM withdrawals WHERE withdrawals.claim_ref = transfers.claim_ref)
ORDER BY claim_ref, generation DESC;
