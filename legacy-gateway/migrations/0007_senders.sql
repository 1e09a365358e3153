-- The processes that send records. A stopped process keeps its connections open, and what lies in a system's buffer is
-- held when they close: so "not known" proves nothing until the process is known to have closed them, or to be gone.
CREATE TABLE senders (
    -- Also the key of the advisory lock that the process holds for as long as it lives.
    sender_id bigint PRIMARY KEY,
    -- For a person who looks for it.
    host text NOT NULL,
    -- By these a process on the same machine tells whether it is still there.
    machine text NOT NULL,
    pid integer NOT NULL,
    process_started text NOT NULL,
    -- Real time.
    started timestamptz NOT NULL,
    gone_time timestamptz
);
CREATE INDEX senders_not_gone ON senders (sender_id) WHERE gone_time IS NULL;

-- Under what a lock was taken: only while nothing of it has changed does a missing lock mean that its process is gone.
-- Unlogged on purpose: PostgreSQL empties it after a crash, in which all locks are lost.
CREATE UNLOGGED TABLE sender_locks (
    sender_id bigint PRIMARY KEY,
    server_started timestamptz NOT NULL,
    -- How many sessions of this database somebody had ended when the lock was last seen.
    sessions_ended bigint NOT NULL
);

-- The process whose connection may be open and carry the record, and the lease under which it sent; both empty once that
-- connection is known to be closed.
ALTER TABLE transfers ADD COLUMN sender_id bigint;
ALTER TABLE transfers ADD COLUMN sender_token uuid;
ALTER TABLE transfers ADD CONSTRAINT transfers_sender
CHECK ((sender_id IS NULL) = (sender_token IS NULL) AND (sender_id IS NULL OR state IN ('SENDING', 'UNKNOWN')));
