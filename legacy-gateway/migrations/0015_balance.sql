-- The day's balance: what each system lists, what differs from the ledger, and the days that are done.

-- What was captured on a day is counted by this.
CREATE INDEX transfers_captured ON transfers (system, created);

-- A list that a system gave of one day, from its first page until it is whole or begun again.
CREATE TABLE listings (
    listing_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT listings_pkey PRIMARY KEY,
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    day date NOT NULL,
    -- The platform's time before the first page was asked for: what was accepted later may not be on it.
    begun timestamptz NOT NULL,
    whole boolean NOT NULL DEFAULT false
);
CREATE INDEX listings_by_day ON listings (system, day);

-- Its records in the order of the list. An id that stands on it twice is held twice.
CREATE TABLE listed_records (
    listing_id bigint NOT NULL REFERENCES listings,
    transfer_id text NOT NULL,
    place integer NOT NULL,
    legacy_ref text NOT NULL,
    CONSTRAINT listed_records_pkey PRIMARY KEY (listing_id, place)
);
CREATE INDEX listed_records_by_id ON listed_records (listing_id, transfer_id);
ALTER TABLE listed_records SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- The days of each system that the schedule has reached, or that somebody asked for. Due times are real.
CREATE TABLE reconciliation_days (
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    day date NOT NULL,
    -- Whether the schedule has reached it: the platform's time. It is done when a run after that came to its end.
    scheduled_time timestamptz,
    requested_time timestamptz,
    due_time timestamptz NOT NULL DEFAULT statement_timestamp(),
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    -- When the last whole run of the day began, and when the scheduled one ended.
    run_time timestamptz,
    done_time timestamptz,
    PRIMARY KEY (system, day)
);
CREATE INDEX reconciliation_days_due ON reconciliation_days (system, day)
WHERE requested_time IS NOT NULL OR (scheduled_time IS NOT NULL AND done_time IS NULL);
CREATE INDEX reconciliation_days_done ON reconciliation_days (system, done_time) WHERE done_time IS NOT NULL;

-- Where the ledger and a system's list disagree. Each is explained, or somebody's work.
CREATE TABLE differences (
    difference_id uuid CONSTRAINT differences_pkey PRIMARY KEY,
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    kind text NOT NULL CHECK (
        kind IN ('MISSING_THERE', 'UNKNOWN_HERE', 'HELD_TWICE', 'TWO_NEW', 'NOT_EXPECTED', 'OTHER_REFERENCE')
    ),
    state text NOT NULL CHECK (state IN ('ASKING', 'OPEN', 'CLOSED')),
    -- The day in whose balance it counts: of a missing transfer the one on which it was captured, else the list's.
    day date NOT NULL,
    transfer_id text NOT NULL,
    -- Empty where the id is unknown here.
    claim_ref text NOT NULL,
    legacy_ref text NOT NULL,
    cause text NOT NULL DEFAULT '',
    -- The platform's time.
    since timestamptz NOT NULL,
    -- Real time.
    next_attempt_time timestamptz,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    closed_time timestamptz,
    closed_by text NOT NULL DEFAULT '',
    closing_reason text NOT NULL DEFAULT '',
    CONSTRAINT differences_asking CHECK ((state = 'ASKING') = (next_attempt_time IS NOT NULL)),
    CONSTRAINT differences_only_missing_are_asked CHECK (state <> 'ASKING' OR kind = 'MISSING_THERE'),
    CONSTRAINT differences_closing_is_whole CHECK ((state = 'CLOSED') = (closed_time IS NOT NULL AND closed_by <> ''))
);
CREATE UNIQUE INDEX differences_one_of_each ON differences (system, transfer_id, kind) WHERE state <> 'CLOSED';
CREATE INDEX differences_of_transfer ON differences (system, transfer_id);
CREATE INDEX differences_of_day ON differences (system, day) WHERE state <> 'CLOSED';
CREATE INDEX differences_to_ask ON differences (system, next_attempt_time) WHERE state = 'ASKING';
CREATE INDEX differences_listed ON differences (since, difference_id) WHERE state <> 'CLOSED';
