-- Enquiries and sends are put off apart: each has its own back-off, forgotten when it succeeds.
ALTER TABLE transfers ADD COLUMN enquiry_setbacks integer NOT NULL DEFAULT 0 CHECK (enquiry_setbacks >= 0);

-- A transfer that was put off because its system did not answer may be woken, from this real time on, when the system
-- answers somebody else. It is woken once for each back-off, so one that fails by itself is not tried all the time.
ALTER TABLE transfers ADD COLUMN may_wake_time timestamptz, ADD COLUMN woken boolean NOT NULL DEFAULT false;
CREATE INDEX transfers_to_wake ON transfers (system, created) WHERE may_wake_time IS NOT NULL;

-- `attempts` counts what left. A record can be sealed before any byte of it left.
ALTER TABLE transfers DROP CONSTRAINT transfers_payload;
ALTER TABLE transfers ADD CONSTRAINT transfers_payload CHECK (attempts = 0 OR payload IS NOT NULL) NOT VALID;
ALTER TABLE transfers VALIDATE CONSTRAINT transfers_payload;

-- The phases after a refused one can never go.
UPDATE transfers AS later SET state = 'CANCELLED', updated = statement_timestamp()
WHERE state = 'WAITING' AND next_attempt_time IS NULL AND EXISTS (
    SELECT 1 FROM transfers AS refused
    WHERE refused.claim_ref = later.claim_ref AND refused.system = later.system
        AND refused.generation = later.generation AND refused.state = 'REJECTED'
);

-- Sealed: the facts of a claim's version from its first record until its last one is made.
CREATE TABLE kept_facts (
    claim_ref text NOT NULL,
    claim_version integer NOT NULL,
    facts bytea NOT NULL,
    PRIMARY KEY (claim_ref, claim_version)
);

-- How far the database's clock is ahead of each machine's monotonic clock, and since when it has not jumped. A process
-- that starts goes on from what another one on its machine saw.
CREATE TABLE clock_watches (
    -- The machine's boot: its monotonic clock begins anew with it.
    machine text PRIMARY KEY,
    -- Seconds: two bounds, because a reading takes a while.
    ahead_least double precision NOT NULL,
    ahead_most double precision NOT NULL,
    steady_since timestamptz NOT NULL,
    watched timestamptz NOT NULL
);

-- Fewer indexes: every step of a transfer changes a column of some index, and so PostgreSQL writes to all of them.
-- Transfers that are SENDING or wait for a correction are found among the open ones. One index allows one held change and
-- one record under way.
DROP INDEX transfers_sending_lease;
DROP INDEX transfers_to_correct;
DROP INDEX transfers_open;
CREATE INDEX transfers_open ON transfers (state, created) INCLUDE (system)
WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN', 'HELD', 'CLERICAL') OR (state = 'REJECTED' AND NOT corrected);
CREATE UNIQUE INDEX transfers_one_open ON transfers (claim_ref, system, phase, (state = 'HELD'))
WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN', 'HELD');
DROP INDEX transfers_next;
CREATE INDEX transfers_next ON transfers (next_attempt_time, created) WHERE next_attempt_time IS NOT NULL;
DROP INDEX transfers_one_held;
DROP INDEX transfers_one_under_way;

-- Dead rows lie where the next work is looked for: they go after a hundredth of the table, not after a fifth.
ALTER TABLE transfers SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.05
);
ALTER TABLE kept_facts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
