-- What housekeeping prunes by. See docs/adr/0009-what-may-be-forgotten.md.

-- When the source wrote the event, by its own database: the same in every entry of the event. Absent where an earlier
-- release wrote the row: then it is kept.
ALTER TABLE inbox ADD COLUMN created timestamptz;
CREATE INDEX inbox_created ON inbox (source, created);
DROP INDEX inbox_handled;

-- What a source wrote before its floor is finished for ever: no such event is handled any more.
CREATE TABLE inbox_floors (
    source text PRIMARY KEY,
    floor timestamptz NOT NULL
);

CREATE INDEX outbox_unfinished ON outbox (created) WHERE finished_time IS NULL;
CREATE INDEX inbox_tries_last ON inbox_tries (last_time);
