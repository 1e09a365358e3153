-- By this the transfers that are overdue are found.
CREATE INDEX transfers_unfinished ON transfers (state, created) WHERE state NOT IN ('ACCEPTED', 'CANCELLED');
