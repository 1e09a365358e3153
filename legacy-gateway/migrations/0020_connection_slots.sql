-- The connections that a system takes, and the process that may open each. One whose process is gone is free.
CREATE TABLE connection_slots (
    system text NOT NULL CHECK (system IN ('ISCS', 'JSAPS', 'PSCS', 'SFCS', 'CMS_COTS')),
    slot integer NOT NULL CHECK (slot > 0),
    sender_id bigint NOT NULL,
    PRIMARY KEY (system, slot)
);
