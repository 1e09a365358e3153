-- Dead letters keep the entry of the bus, since a replay looks at its signature again.
-- See docs/adr/0072-entries-of-the-bus-are-signed.md.

-- All fields of the entry, as MessagePack. Absent where an earlier release wrote the row: it kept the envelope alone.
ALTER TABLE dead_letters ADD COLUMN entry bytea;

-- Entries that were not believed. Nothing of them was handled, and they have an id of their own: one that they name may be a
-- true event's. They are kept for a while, and only so many.
ALTER TABLE dead_letters ADD COLUMN refused boolean NOT NULL DEFAULT false;
CREATE INDEX dead_letters_refused ON dead_letters (died_time) WHERE refused;
