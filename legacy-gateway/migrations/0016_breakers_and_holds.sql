-- Whether each system answers, for all processes. A row is made when a system first fails to answer; while a system answers
-- nothing is written here. All times are real.
CREATE TABLE systems (
    system text PRIMARY KEY CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    -- Attempts in a row without any readable reply.
    unanswered integer NOT NULL DEFAULT 0 CHECK (unanswered >= 0),
    -- While the breaker is open nothing is sent; a probe asks at its time whether the system answers again.
    opened_time timestamptz,
    next_probe_time timestamptz,
    probes integer NOT NULL DEFAULT 0 CHECK (probes >= 0),
    -- Since when what waited goes out at a rising rate, and how much of it was let go; empty once the rate bounds nothing.
    draining_since timestamptz,
    let_go integer NOT NULL DEFAULT 0 CHECK (let_go >= 0),
    CONSTRAINT systems_open_is_probed CHECK ((opened_time IS NULL) = (next_probe_time IS NULL))
);

-- Systems to which nothing is sent because somebody said so. Times are the platform's.
CREATE TABLE system_holds (
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    since timestamptz NOT NULL,
    reason text NOT NULL,
    until timestamptz,
    held_by text NOT NULL,
    released_time timestamptz,
    -- Empty where it ended by itself.
    released_by text,
    PRIMARY KEY (system, since)
);
CREATE UNIQUE INDEX system_holds_one_open ON system_holds (system) WHERE released_time IS NULL;
