-- Tries at security questions: every one is noted, and failures count by claim and by operator over all calls.
-- See docs/adr/0085-nobody-guesses-by-trying.md.

-- Append-only. Kept for a year.
CREATE TABLE security_tries (
    try_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Real time: nobody who moves the platform's clock moves it.
    tried_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    call_id uuid NOT NULL,
    -- The claim whose answers were asked for: the call's, or the person's earlier one.
    claim_ref text NOT NULL,
    operator text NOT NULL,
    passed boolean NOT NULL
);
CREATE INDEX security_tries_time ON security_tries (tried_time);

-- Wrong answers in a row about a claim, and those of an operator in a day. A row is locked while a try is taken.
CREATE TABLE security_failures (
    kind text NOT NULL CHECK (kind IN ('CLAIM', 'OPERATOR')),
    -- The claim's reference, or the operator.
    name text NOT NULL,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    first_time timestamptz,
    last_time timestamptz,
    locked_time timestamptz,
    version integer NOT NULL DEFAULT 1,
    lifted_by text,
    lifted_time timestamptz,
    PRIMARY KEY (kind, name)
);
CREATE INDEX security_failures_locked ON security_failures (locked_time, kind, name) WHERE locked_time IS NOT NULL;
