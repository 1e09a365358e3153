-- The transfer ledger: a row for each claim, system, generation (a new claim, then its changes) and phase.
-- The constraints hold what must never happen twice, whatever the code does: what is sent twice is paid twice.

CREATE TABLE transfers (
    transfer_id text CONSTRAINT transfers_pkey PRIMARY KEY CHECK (transfer_id ~ '^[0-9A-Z]{26}$'),
    replaces text REFERENCES transfers (transfer_id),
    claim_ref text NOT NULL,
    claim_version integer NOT NULL,
    action text NOT NULL CHECK (action IN ('NEW', 'CHANGE')),
    generation integer NOT NULL CHECK (generation >= 1 AND (generation = 1) = (action = 'NEW')),
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    phase integer NOT NULL CHECK (phase >= 1),
    state text NOT NULL CHECK (
        state IN ('WAITING', 'SENDING', 'UNKNOWN', 'ACCEPTED', 'REJECTED', 'HELD', 'CLERICAL', 'CANCELLED')
    ),
    -- How often sending was begun, and how often it was put off since: the back-off grows with the latter.
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    setbacks integer NOT NULL DEFAULT 0 CHECK (setbacks >= 0),
    -- Real time, as are all leases.
    next_attempt_time timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    connection_closed_time timestamptz,
    -- Sealed: the record's bytes, the same on every attempt, and the system's messages.
    payload bytea,
    messages bytea,
    legacy_ref text NOT NULL DEFAULT '',
    -- The platform's time.
    confirmed_time timestamptz NOT NULL,
    office_code text NOT NULL,
    assessor_id text NOT NULL,
    traceparent text NOT NULL,
    created timestamptz NOT NULL,
    updated timestamptz NOT NULL,

    CONSTRAINT transfers_one_of_each UNIQUE (claim_ref, system, generation, phase),
    CONSTRAINT transfers_lease_whole CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT transfers_lease_state CHECK (lease_token IS NULL OR state IN ('WAITING', 'SENDING', 'UNKNOWN')),
    CONSTRAINT transfers_sending CHECK (state <> 'SENDING' OR (lease_token IS NOT NULL AND attempts > 0)),
    -- Bytes that may be at the system must be known for ever after.
    CONSTRAINT transfers_payload CHECK ((attempts > 0) = (payload IS NOT NULL)),
    CONSTRAINT transfers_unknown CHECK ((state = 'UNKNOWN') = (connection_closed_time IS NOT NULL)),
    CONSTRAINT transfers_accepted CHECK (state <> 'ACCEPTED' OR (legacy_ref <> '' AND attempts > 0)),
    CONSTRAINT transfers_due CHECK (next_attempt_time IS NULL OR state IN ('WAITING', 'UNKNOWN')),
    CONSTRAINT transfers_asked CHECK (state <> 'UNKNOWN' OR next_attempt_time IS NOT NULL)
);

-- Two live new claims of one phase would be a duplicate, which is paid twice.
CREATE UNIQUE INDEX transfers_one_new ON transfers (claim_ref, system, phase)
WHERE action = 'NEW' AND state NOT IN ('REJECTED', 'CANCELLED');

-- A newer amendment moves the open change on; it makes no second one.
CREATE UNIQUE INDEX transfers_one_open_change ON transfers (claim_ref, system, phase)
WHERE action = 'CHANGE' AND state NOT IN ('ACCEPTED', 'REJECTED', 'CLERICAL', 'CANCELLED');

-- Nobody works on two records of a claim and system at once.
CREATE UNIQUE INDEX transfers_one_lease ON transfers (claim_ref, system) WHERE lease_token IS NOT NULL;

CREATE INDEX transfers_next ON transfers (next_attempt_time) WHERE next_attempt_time IS NOT NULL;
CREATE INDEX transfers_sending_lease ON transfers (lease_until) WHERE state = 'SENDING';
CREATE INDEX transfers_by_state ON transfers (system, state);

-- The newest amendment heard of for each claim, whether it was confirmed by then or not: events come in any order.
-- Two events of one claim wait for each other at this row.
CREATE TABLE amendments (
    claim_ref text PRIMARY KEY,
    version integer NOT NULL
);
