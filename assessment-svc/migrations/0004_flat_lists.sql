-- Every list, count and search for what is overdue reads its own part of an index, however many claims there were.

-- Work in one state, the oldest submission first: of an office, without an office, of an assessor.
CREATE INDEX assessments_work_of_office ON assessments (office_code, state, submit_time, claim_ref)
    WHERE submit_time IS NOT NULL;
CREATE INDEX assessments_work_without_office ON assessments (state, submit_time, claim_ref)
    WHERE submit_time IS NOT NULL AND office_code IS NULL;
CREATE INDEX assessments_work_of_assessor ON assessments (office_code, assessor_id, state, submit_time, claim_ref)
    WHERE submit_time IS NOT NULL AND assessor_id IS NOT NULL;
DROP INDEX assessments_of_office_waiting;

-- What is overdue: by the moment since which it waits.
CREATE INDEX assessments_waiting ON assessments (state, greatest(start_time, submit_time))
    WHERE submit_time IS NOT NULL AND state <> 'CONFIRMED';
CREATE INDEX assessments_unsubmitted ON assessments (start_time) WHERE submit_time IS NULL;
DROP INDEX assessments_open;

-- A claim's items are written together and updated soon after, once or twice each. With half of each page left free the
-- new versions stay on the page and touch no index.
ALTER TABLE items SET (fillfactor = 50);
ALTER TABLE assessments SET (fillfactor = 80);

-- Vacuum after 2 per cent of a table has changed; the default of 20 per cent is most of a day on a large table.
ALTER TABLE items SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE assessments SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE outcomes SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
