-- What every service has: the outbox, the inbox, dead letters, requests, data keys and the access log.

CREATE TABLE outbox (
    event_id uuid PRIMARY KEY,
    type text NOT NULL,
    claim_ref text NOT NULL,
    version integer NOT NULL,
    payload bytea NOT NULL,
    heard_by text[] NOT NULL,
    receipted text[] NOT NULL DEFAULT '{}',
    occurred_time timestamptz NOT NULL,
    traceparent text NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    publish_after timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    finished_time timestamptz
);
CREATE INDEX outbox_due ON outbox (publish_after) WHERE finished_time IS NULL;
CREATE INDEX outbox_finished ON outbox (finished_time) WHERE finished_time IS NOT NULL;

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    source text NOT NULL,
    handled_time timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbox_handled ON inbox (handled_time);

-- Tries of an event that failed for a reason that does not pass.
CREATE TABLE inbox_tries (
    event_id uuid PRIMARY KEY,
    tries integer NOT NULL,
    last_time timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE dead_letters (
    event_id uuid PRIMARY KEY,
    source text NOT NULL,
    type text NOT NULL,
    claim_ref text NOT NULL,
    envelope bytea NOT NULL,
    reason text NOT NULL,
    tries integer NOT NULL,
    died_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    replay_wanted boolean NOT NULL DEFAULT false,
    replayed_time timestamptz
);

CREATE TABLE requests (
    subject text NOT NULL,
    method text NOT NULL,
    request_id uuid NOT NULL,
    body_hmac bytea NOT NULL,
    response bytea,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject, method, request_id)
);
CREATE INDEX requests_created ON requests (created);

CREATE TABLE data_keys (
    claim_ref text PRIMARY KEY,
    key_id text NOT NULL,
    wrapped bytea NOT NULL
);

-- Append-only: the role that runs the service may insert and nothing else.
CREATE TABLE access_log (
    access_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    subject text NOT NULL,
    roles text[] NOT NULL,
    office text,
    method text NOT NULL,
    claim_ref text,
    purpose text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('SHOWN', 'DENIED')),
    reason text,
    traceparent text NOT NULL
);
CREATE INDEX access_log_claim ON access_log (claim_ref, at);
