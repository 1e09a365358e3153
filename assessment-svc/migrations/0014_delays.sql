-- Delays that other services tell of, the interim payments that they suggest, and each office's days.

CREATE TABLE delays (
    claim_ref text NOT NULL,
    cause text NOT NULL CHECK (cause IN ('TARGET_BREACH', 'STALLED_TRANSFER', 'LATE_NOTICE')),
    -- What is late: the appointment (empty: none was booked), the transfer with its state, or the notice.
    subject text NOT NULL,
    -- Of a transfer.
    system text,
    since_time timestamptz NOT NULL,
    PRIMARY KEY (claim_ref, cause, subject)
);

-- A claim for which somebody should consider an interim payment. It waits again with a delay that is younger than the last
-- decision.
CREATE TABLE interim_payments (
    claim_ref text PRIMARY KEY,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'DONE')),
    since_time timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    outcome text CHECK (outcome IN ('PAID', 'NOT_NEEDED')),
    -- Why, sealed with the claim's key, at this version.
    reason bytea,
    decided_by text,
    -- The platform's time.
    decided_time timestamptz,
    CONSTRAINT interim_payments_decision_is_whole CHECK (
        state <> 'DONE' OR num_nulls(outcome, reason, decided_by, decided_time) = 0
    )
);
CREATE INDEX interim_payments_open ON interim_payments (since_time, claim_ref) WHERE state = 'OPEN';

-- What an office had on a day in London: counted as it is heard or done, so that a measure reads some days and no history.
CREATE TABLE office_days (
    office_code text NOT NULL,
    day date NOT NULL,
    crisis_loans integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    stalled_transfers integer NOT NULL DEFAULT 0,
    interviews integer NOT NULL DEFAULT 0,
    -- Summed over those interviews: from first contact to their start.
    lead_seconds bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (office_code, day)
);
CREATE INDEX office_days_by_day ON office_days (day);
