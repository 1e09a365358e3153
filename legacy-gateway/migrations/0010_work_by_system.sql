-- Work is taken by system: each has a crew of its own, and what waits for another is not read. The release before this one
-- looks through all that is due; it finds it by the other columns of this index.
DROP INDEX transfers_next;
CREATE INDEX transfers_next ON transfers (system, next_attempt_time, created) WHERE next_attempt_time IS NOT NULL;
