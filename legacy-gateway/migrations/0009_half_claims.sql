-- The first phase of a withdrawn claim is withdrawn from the system by the gateway itself, as often as it takes: real times.
-- Without a time nobody tries: the system says that it holds the whole claim, and a person looks.
ALTER TABLE withdrawn_records
ADD COLUMN next_attempt_time timestamptz DEFAULT statement_timestamp(),
ADD COLUMN attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0);
CREATE INDEX withdrawn_records_due ON withdrawn_records (next_attempt_time)
WHERE half AND removed_time IS NULL AND next_attempt_time IS NOT NULL;
