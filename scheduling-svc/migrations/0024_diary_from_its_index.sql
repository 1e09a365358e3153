-- What is taken of a shift is read from the index alone: the entries of a day lie on as many pages as there are of them.
CREATE INDEX diary_of_an_assessor_whole ON diary (assessor_id, start_time) INCLUDE (end_time, held_until, claim_ref);
DROP INDEX diary_of_an_assessor;
-- Pages that only gained entries are to be marked as seen by all soon, without which the index alone is not enough.
ALTER TABLE diary SET (autovacuum_vacuum_insert_scale_factor = 0.02);
