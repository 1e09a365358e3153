-- Messages to claimants: texts and e-mails by GOV.UK Notify, and letters.

-- `subject` tells messages of one kind and claim apart: an appointment and its version, a request for evidence, a decision.
-- `due_time` and `expires` are on the platform's clock: before the one nothing is written, after the other it has lost its use.
-- `content` is what goes out, sealed: it is written once, and again only where the message has to go by letter instead.
CREATE TABLE messages (
    message_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    claim_ref text NOT NULL,
    kind text NOT NULL CHECK (
        kind IN (
            'APPOINTMENT_MADE', 'APPOINTMENT_MOVED', 'APPOINTMENT_CANCELLED', 'APPOINTMENT_TOMORROW', 'WHAT_TO_BRING',
            'EVIDENCE_DUE', 'DECISION'
        )
    ),
    subject text NOT NULL,
    state text NOT NULL DEFAULT 'DUE'
    CHECK (state IN ('DUE', 'WAITING', 'SENDING', 'SENT', 'DELIVERED', 'LETTER', 'UNREACHABLE', 'DROPPED')),
    created timestamptz NOT NULL,
    due_time timestamptz NOT NULL,
    expires timestamptz,
    letter_only boolean NOT NULL DEFAULT false,
    medium text CHECK (medium IN ('TEXT', 'EMAIL', 'LETTER')),
    language text CHECK (language IN ('EN', 'CY')),
    discreet boolean,
    reason text,
    content bytea,
    notify_id uuid,
    attempts integer NOT NULL DEFAULT 0,
    polls integer NOT NULL DEFAULT 0,
    next_attempt_time timestamptz DEFAULT clock_timestamp(),
    lease uuid,
    leased_until timestamptz,
    written timestamptz,
    sent timestamptz,
    ended timestamptz,
    CONSTRAINT one_message_about_a_thing UNIQUE (claim_ref, kind, subject)
);
CREATE INDEX messages_to_write ON messages (due_time) WHERE state IN ('DUE', 'UNREACHABLE');
CREATE INDEX messages_to_send ON messages (next_attempt_time) WHERE state = 'WAITING';
CREATE INDEX messages_to_ask ON messages (next_attempt_time) WHERE state IN ('SENDING', 'SENT');
CREATE INDEX messages_ended ON messages (ended) WHERE ended IS NOT NULL;
ALTER TABLE messages SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000
);
