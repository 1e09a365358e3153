-- Evidence of a claim: what was asked for, what was seen, and what a person decided to do without. No answer is kept here: a
-- row is a kind of document and the names of the facts that it proves.

CREATE TABLE evidence (
    evidence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    claim_ref text NOT NULL REFERENCES assessments,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('REQUESTED', 'SEEN', 'WAIVED')),
    -- Those that it proves; none: it is about the claim as a whole.
    facts text[] NOT NULL DEFAULT '{}',
    requested_by text,
    requested_time timestamptz,
    due_on date,
    -- The day of the next reminder, in London; absent after the last.
    remind_on date,
    reminders integer NOT NULL DEFAULT 0,
    seen_on date,
    -- Who saw it, or decided to do without it, and when that was recorded.
    settled_by text,
    settled_time timestamptz,
    -- Why somebody decided to do without it, sealed with the claim's data key.
    reason bytea,
    CONSTRAINT evidence_request_is_whole CHECK (num_nulls(requested_by, requested_time, due_on) IN (0, 3)),
    CONSTRAINT evidence_request_is_due CHECK (state <> 'REQUESTED' OR due_on IS NOT NULL),
    CONSTRAINT evidence_seen_has_a_day CHECK ((state = 'SEEN') = (seen_on IS NOT NULL)),
    CONSTRAINT evidence_settled_is_whole CHECK (
        num_nulls(nullif(state <> 'REQUESTED', false), settled_by, settled_time) IN (0, 3)
    ),
    CONSTRAINT evidence_waived_has_a_reason CHECK ((state = 'WAIVED') = (reason IS NOT NULL))
);
-- A kind is awaited once for a claim.
CREATE UNIQUE INDEX evidence_awaited_once ON evidence (claim_ref, kind) WHERE state = 'REQUESTED';
CREATE INDEX evidence_of_claim ON evidence (claim_ref);
-- The reminders that are due.
CREATE INDEX evidence_to_remind ON evidence (remind_on, claim_ref) WHERE remind_on IS NOT NULL;

-- The needs of the claim's facts, by their ids in the rules, as they were when somebody at a desk last acted.
ALTER TABLE assessments ADD COLUMN evidence_needs text[];
