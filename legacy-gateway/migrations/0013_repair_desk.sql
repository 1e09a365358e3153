-- The history of each transfer: one row for each state that it came to. A trigger writes it, so that no statement can
-- change a state and leave no trace.
CREATE TABLE transfer_events (
    transfer_id text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    state text NOT NULL,
    -- Of a closed list; empty where the state says all.
    reason text NOT NULL,
    -- Who caused it; empty for the gateway itself.
    by text NOT NULL,
    -- The act at the repair desk, which has the person's own words.
    act_id uuid,
    -- The platform's time.
    at timestamptz NOT NULL,
    PRIMARY KEY (transfer_id, number)
);

-- What a statement tells the history. The trigger takes it out again, so that no later change repeats it.
ALTER TABLE transfers
ADD COLUMN event_reason text,
ADD COLUMN event_by text,
ADD COLUMN event_time timestamptz,
ADD COLUMN event_act_id uuid;

CREATE FUNCTION note_transfer_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transfer_events (transfer_id, state, reason, by, act_id, at)
    VALUES (
        NEW.transfer_id, NEW.state, coalesce(NEW.event_reason, ''), coalesce(NEW.event_by, ''), NEW.event_act_id,
        coalesce(NEW.event_time, NEW.updated)
    );
    NEW.event_reason := NULL;
    NEW.event_by := NULL;
    NEW.event_time := NULL;
    NEW.event_act_id := NULL;
    RETURN NEW;
END
$$;
CREATE FUNCTION note_new_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transfer_events (transfer_id, state, reason, by, at)
    VALUES (NEW.transfer_id, NEW.state, '', '', NEW.updated);
    RETURN NULL;
END
$$;
-- After the row: one that is there already is not made again.
CREATE TRIGGER transfers_made AFTER INSERT ON transfers
FOR EACH ROW EXECUTE FUNCTION note_new_transfer();
-- What a person does is kept even where the state stays.
CREATE TRIGGER transfers_changed BEFORE UPDATE ON transfers
FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state OR NEW.event_by IS NOT NULL)
EXECUTE FUNCTION note_transfer_event();

CREATE FUNCTION keep_transfer_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of transfers is only added to';
END
$$;
CREATE TRIGGER transfer_events_stay BEFORE UPDATE OR DELETE ON transfer_events
FOR EACH STATEMENT EXECUTE FUNCTION keep_transfer_event();

-- By which rules and fields a record was refused that waits for a correction: rejections are grouped by them. Never a value,
-- and no words of a system.
CREATE TABLE transfer_causes (
    transfer_id text NOT NULL REFERENCES transfers (transfer_id),
    code text NOT NULL,
    field text NOT NULL,
    PRIMARY KEY (transfer_id, code, field)
);
CREATE INDEX transfer_causes_by_cause ON transfer_causes (code, field, transfer_id);

CREATE FUNCTION forget_transfer_causes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM transfer_causes WHERE transfer_id = NEW.transfer_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER transfers_corrected_or_given_up AFTER UPDATE ON transfers
FOR EACH ROW WHEN (OLD.state = 'REJECTED' AND NOT OLD.corrected AND (NEW.state <> 'REJECTED' OR NEW.corrected))
EXECUTE FUNCTION forget_transfer_causes();

-- Lists go through each system and state by age, however many there are.
CREATE INDEX transfers_listed ON transfers (system, state, created, transfer_id)
WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN', 'HELD', 'CLERICAL') OR (state = 'REJECTED' AND NOT corrected);

-- A record that may be on an open connection keeps the name of its sender while a person looks at it: otherwise a retry
-- would take "not known" for final too early.
ALTER TABLE transfers DROP CONSTRAINT transfers_sender;
ALTER TABLE transfers ADD CONSTRAINT transfers_sender CHECK (
    (sender_id IS NULL) = (sender_token IS NULL) AND (sender_id IS NULL OR state IN ('SENDING', 'UNKNOWN', 'CLERICAL'))
) NOT VALID;
ALTER TABLE transfers VALIDATE CONSTRAINT transfers_sender;

-- What a person did with many transfers: which were chosen is fixed at the start.
CREATE TABLE bulk_acts (
    act_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('RETRY', 'CANCEL', 'CORRECT')),
    -- Sealed: the person's own words.
    reason bytea NOT NULL,
    by text NOT NULL,
    -- Transfers a minute.
    rate integer NOT NULL CHECK (rate BETWEEN 1 AND 6000),
    -- Real time: when the next transfer is due.
    next_time timestamptz NOT NULL DEFAULT statement_timestamp(),
    -- The platform's time.
    created timestamptz NOT NULL,
    stopped_time timestamptz,
    stopped_by text,
    finished_time timestamptz,
    CONSTRAINT bulk_acts_end CHECK ((stopped_time IS NULL) = (stopped_by IS NULL))
);
CREATE INDEX bulk_acts_due ON bulk_acts (next_time)
WHERE finished_time IS NULL AND stopped_time IS NULL AND kind <> 'CORRECT';
CREATE INDEX bulk_acts_by_age ON bulk_acts (created, act_id);

CREATE TABLE bulk_act_items (
    act_id uuid NOT NULL REFERENCES bulk_acts (act_id),
    number integer NOT NULL,
    transfer_id text NOT NULL,
    -- The version of the claim that a correction changes, the same on every try.
    claim_version integer,
    -- Empty until it was done or left.
    outcome text,
    -- The questions that intake named when it refused a correction.
    fields text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (act_id, number)
);
CREATE INDEX bulk_act_items_open ON bulk_act_items (act_id, number) WHERE outcome IS NULL;

-- Of which stalls TransferStalled was told: a stall is a transfer's stay in a state beyond its deadline.
CREATE TABLE stalls (
    transfer_id text NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (transfer_id, state, since)
);
