-- Files of records, for systems that take files and not single records. A file's sequence and bytes are committed before the
-- first of them leaves; the next file is made when this one is answered.
CREATE TABLE batches (
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    -- Counts a system's files and never begins again; the sequence in their names does.
    number bigint NOT NULL CHECK (number >= 1),
    sequence integer NOT NULL CHECK (sequence BETWEEN 1 AND 999999),
    state text NOT NULL CHECK (state IN ('BUILT', 'SENT', 'REFUSED', 'CLERICAL', 'ANSWERED')),
    details integer NOT NULL CHECK (details >= 1),
    -- Sealed; deleted when the file is answered.
    content bytea,
    setbacks integer NOT NULL DEFAULT 0 CHECK (setbacks >= 0),
    refusals integer NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    -- The system said that it has taken this sequence.
    taken boolean NOT NULL DEFAULT false,
    -- What is wrong with the file, or with the system's files about it.
    fault text NOT NULL DEFAULT '',
    fault_since timestamptz,
    -- The response that refused the file, by its time of change (seconds of the system's clock) and size.
    refused_changed bigint,
    refused_size bigint,
    -- Real time.
    next_attempt_time timestamptz NOT NULL,
    last_sent_time timestamptz,
    -- The platform's time: when the file first may have been at the system, and when its answer was read.
    sent_time timestamptz,
    answered_time timestamptz,
    -- The version of the last day's list that was read first after the answer, where a line was missing: 0 for none.
    list_seen bigint,
    created timestamptz NOT NULL,
    updated timestamptz NOT NULL,

    PRIMARY KEY (system, number),
    CONSTRAINT batches_content CHECK ((state = 'ANSWERED') = (content IS NULL)),
    CONSTRAINT batches_fault CHECK ((fault <> '') = (fault_since IS NOT NULL)),
    CONSTRAINT batches_refusal CHECK ((refused_changed IS NULL) = (refused_size IS NULL))
);

-- The next file is made only when the one before it is answered.
CREATE UNIQUE INDEX batches_one_open ON batches (system) WHERE state <> 'ANSWERED';

-- Who works on a system's files: one process, until its turn ends or it is known to be gone. Also the last numbers given.
CREATE TABLE batch_turns (
    system text PRIMARY KEY,
    last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0),
    last_sequence integer NOT NULL DEFAULT 0 CHECK (last_sequence BETWEEN 0 AND 999999),
    sender_id bigint,
    turn_until timestamptz
);

-- The file that a transfer is in, or was in last, and its line there. While it is SENDING in a file it needs no lease, and
-- while it is UNKNOWN in a file it is asked about with the whole file.
ALTER TABLE transfers ADD COLUMN batch bigint, ADD COLUMN batch_line integer;
ALTER TABLE transfers ADD CONSTRAINT transfers_batch FOREIGN KEY (system, batch) REFERENCES batches (system, number);
ALTER TABLE transfers ADD CONSTRAINT transfers_batch_line CHECK ((batch IS NULL) = (batch_line IS NULL)) NOT VALID;
ALTER TABLE transfers VALIDATE CONSTRAINT transfers_batch_line;
ALTER TABLE transfers DROP CONSTRAINT transfers_sending;
ALTER TABLE transfers ADD CONSTRAINT transfers_sending
CHECK (state <> 'SENDING' OR ((lease_token IS NOT NULL OR batch IS NOT NULL) AND attempts > 0)) NOT VALID;
ALTER TABLE transfers VALIDATE CONSTRAINT transfers_sending;
ALTER TABLE transfers DROP CONSTRAINT transfers_asked;
ALTER TABLE transfers ADD CONSTRAINT transfers_asked
CHECK (state <> 'UNKNOWN' OR next_attempt_time IS NOT NULL OR batch IS NOT NULL) NOT VALID;
ALTER TABLE transfers VALIDATE CONSTRAINT transfers_asked;

-- A claim is in a file once.
CREATE UNIQUE INDEX transfers_once_in_batch ON transfers (system, batch, claim_ref) WHERE batch IS NOT NULL;
-- What waits, with its record made, for the next file.
CREATE INDEX transfers_for_next_batch ON transfers (system, created)
WHERE state = 'WAITING' AND next_attempt_time IS NULL AND payload IS NOT NULL;
CREATE INDEX transfers_missing_in_batch ON transfers (system, batch) WHERE state = 'UNKNOWN' AND batch IS NOT NULL;
