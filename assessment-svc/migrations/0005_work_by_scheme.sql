-- A claim for several schemes is the work of two desks: a caseworker confirms child maintenance, an assessor the rest.

-- The claim's schemes that need a fact; empty: all of them.
ALTER TABLE items ADD COLUMN schemes text[] NOT NULL DEFAULT '{}';

-- The desks that have started the assessment.
ALTER TABLE assessments ADD COLUMN begun text[] NOT NULL DEFAULT '{}';
UPDATE assessments SET begun = '{ASSESSOR}' WHERE state <> 'READY';

-- Work that ended because nothing may follow from the claim any more; a withdrawal may be heard of before the claim.
ALTER TABLE assessments ADD COLUMN closed_reason text, ADD COLUMN closed_time timestamptz;
ALTER TABLE assessments DROP CONSTRAINT assessments_state_check;
ALTER TABLE assessments ADD CONSTRAINT assessments_state_check
CHECK (state IN ('READY', 'IN_PROGRESS', 'CONFIRMED', 'CLOSED'));
ALTER TABLE assessments ADD CONSTRAINT assessments_closed_is_whole
CHECK (num_nulls(nullif(state = 'CLOSED', false), closed_reason, closed_time) IN (0, 3));
ALTER TABLE assessments DROP CONSTRAINT assessments_work_is_submitted;
ALTER TABLE assessments ADD CONSTRAINT assessments_work_is_submitted
CHECK (state IN ('READY', 'CLOSED') OR submit_time IS NOT NULL);

-- The state of each desk's part of the work; null where the claim has no scheme of theirs. They follow from the other
-- columns, so that whoever writes those cannot forget them.
ALTER TABLE assessments
ADD COLUMN assessor_state text GENERATED ALWAYS AS (
    CASE
        WHEN schemes = ARRAY['CHILD_MAINTENANCE'] THEN NULL
        WHEN state <> 'IN_PROGRESS' THEN state
        WHEN begun = ARRAY['CASEWORKER'] THEN 'READY'
        WHEN array_remove(schemes, 'CHILD_MAINTENANCE') <@ confirmed_schemes THEN 'CONFIRMED'
        ELSE 'IN_PROGRESS'
    END
) STORED,
ADD COLUMN caseworker_state text GENERATED ALWAYS AS (
    CASE
        WHEN NOT 'CHILD_MAINTENANCE' = ANY(schemes) THEN NULL
        WHEN state <> 'IN_PROGRESS' THEN state
        WHEN 'CHILD_MAINTENANCE' = ANY(confirmed_schemes) THEN 'CONFIRMED'
        WHEN NOT 'CASEWORKER' = ANY(begun) THEN 'READY'
        ELSE 'IN_PROGRESS'
    END
) STORED,
-- Whether a scheme of the claim is confirmed after an interview.
ADD COLUMN needs_interview boolean GENERATED ALWAYS AS (
    NOT schemes <@ ARRAY['CHILD_MAINTENANCE', 'CRISIS_LOAN']
) STORED;

-- Work in one state, the oldest submission first: of an office, without an office, of an assessor, of caseworkers.
DROP INDEX assessments_work_of_office, assessments_work_without_office, assessments_work_of_assessor;
CREATE INDEX assessments_work_of_office ON assessments (office_code, assessor_state, submit_time, claim_ref)
WHERE submit_time IS NOT NULL;
CREATE INDEX assessments_work_without_office ON assessments (assessor_state, submit_time, claim_ref)
WHERE submit_time IS NOT NULL AND office_code IS NULL;
CREATE INDEX assessments_work_of_assessor ON assessments (
    office_code, assessor_id, assessor_state, submit_time, claim_ref
) WHERE submit_time IS NOT NULL AND assessor_id IS NOT NULL;
CREATE INDEX assessments_work_of_caseworkers ON assessments (caseworker_state, submit_time, claim_ref)
WHERE submit_time IS NOT NULL AND caseworker_state IS NOT NULL;

-- What is overdue: by the moment since which it waits.
DROP INDEX assessments_waiting, assessments_unsubmitted;
CREATE INDEX assessments_waiting ON assessments (assessor_state, greatest(start_time, submit_time)) INCLUDE (state)
WHERE submit_time IS NOT NULL AND state IN ('READY', 'IN_PROGRESS');
CREATE INDEX assessments_unsubmitted ON assessments (start_time) WHERE submit_time IS NULL AND state = 'READY';
CREATE INDEX assessments_crisis_loans ON assessments (submit_time)
WHERE 'CRISIS_LOAN' = ANY(schemes) AND NOT 'CRISIS_LOAN' = ANY(confirmed_schemes) AND state IN ('READY', 'IN_PROGRESS');
