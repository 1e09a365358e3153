-- A refused claim goes once more when it is corrected: as new where nothing is held, so a later generation may be new.
ALTER TABLE transfers DROP CONSTRAINT transfers_check;
ALTER TABLE transfers ADD CONSTRAINT transfers_first_is_new CHECK (generation > 1 OR (generation = 1 AND action = 'NEW'));

-- A refused transfer whose corrected record goes in its place asks for nobody any more.
ALTER TABLE transfers ADD COLUMN corrected boolean NOT NULL DEFAULT false
    CONSTRAINT transfers_corrected CHECK (NOT corrected OR state = 'REJECTED');

-- While a correction is on its way the next amendment is held: one of each, and not one of both.
DROP INDEX transfers_one_open_change;
CREATE UNIQUE INDEX transfers_one_held ON transfers (claim_ref, system, phase) WHERE state = 'HELD';
CREATE UNIQUE INDEX transfers_one_under_way ON transfers (claim_ref, system, phase)
WHERE state IN ('WAITING', 'SENDING', 'UNKNOWN');

-- What is counted and listed often reads what is open, or an hour of what is done, however much was carried.
CREATE INDEX transfers_open ON transfers (state, created) INCLUDE (system)
WHERE state NOT IN ('ACCEPTED', 'CANCELLED', 'REJECTED');
CREATE INDEX transfers_to_correct ON transfers (updated) INCLUDE (system) WHERE state = 'REJECTED' AND NOT corrected;
CREATE INDEX transfers_done ON transfers (updated) INCLUDE (system, state) WHERE state IN ('ACCEPTED', 'CANCELLED');
DROP INDEX transfers_unfinished;
DROP INDEX transfers_by_state;
