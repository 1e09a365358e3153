-- Notices to local authorities: what has to be looked at again, the notices with every version, and who was not told.

-- A claim of which something was heard that its notices may have to tell.
CREATE TABLE looks (
    claim_ref text PRIMARY KEY,
    due timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease uuid,
    leased_until timestamptz,
    attempts integer NOT NULL DEFAULT 0
);
CREATE INDEX looks_due ON looks (due);

-- What was heard and not yet looked at: an event that comes while a look goes on stays for the next.
CREATE TABLE heard_events (
    event_id uuid PRIMARY KEY,
    claim_ref text NOT NULL,
    version integer NOT NULL,
    occurred_time timestamptz NOT NULL
);
CREATE INDEX heard_events_claim ON heard_events (claim_ref);

CREATE TABLE notices (
    notice_id uuid PRIMARY KEY,
    claim_ref text NOT NULL,
    authority_code text NOT NULL,
    authority_name text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('API', 'SFTP', 'POST')),
    intention_on date NOT NULL,
    wanted boolean NOT NULL DEFAULT true,
    CONSTRAINT one_notice_for_claim_and_authority UNIQUE (claim_ref, authority_code)
);

-- `body` is what the authority gets, sealed; the same bytes on every attempt.
CREATE TABLE notice_versions (
    notice_id uuid NOT NULL REFERENCES notices,
    version integer NOT NULL CHECK (version > 0),
    kind text NOT NULL CHECK (kind IN ('INTENTION', 'CLAIM', 'CHANGE')),
    state text NOT NULL DEFAULT 'WAITING'
        CHECK (state IN ('WAITING', 'SENT', 'RECEIVED', 'LOADED', 'REFUSED', 'SUPERSEDED')),
    body bytea NOT NULL,
    first_contact_time timestamptz NOT NULL,
    first_contact_on date NOT NULL,
    proof_due_on date NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    polls integer NOT NULL DEFAULT 0,
    may_be_held boolean NOT NULL DEFAULT false,
    next_attempt_time timestamptz DEFAULT clock_timestamp(),
    lease uuid,
    leased_until timestamptz,
    receipt text,
    sent timestamptz,
    received timestamptz,
    loaded timestamptz,
    refused_fields text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (notice_id, version)
);
CREATE INDEX notice_versions_to_send ON notice_versions (next_attempt_time) WHERE state = 'WAITING';
CREATE INDEX notice_versions_to_ask ON notice_versions (next_attempt_time) WHERE state IN ('SENT', 'RECEIVED');

-- What no notice can put right by itself: a person has to. `authority_code` is empty where no authority was found.
CREATE TABLE not_told (
    claim_ref text NOT NULL,
    authority_code text NOT NULL,
    reason text NOT NULL
        CHECK (reason IN ('NORTHERN_IRELAND', 'POSTCODE_UNKNOWN', 'AUTHORITY_UNKNOWN', 'MOVED_AWAY', 'NO_LONGER_SOUGHT')),
    owner text NOT NULL DEFAULT 'PROCESSING_OFFICER',
    since timestamptz NOT NULL,
    PRIMARY KEY (claim_ref, authority_code)
);
