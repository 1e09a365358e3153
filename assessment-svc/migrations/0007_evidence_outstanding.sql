-- An assessment that waits for evidence, its two clocks, and schemes that are closed without a confirmation.

ALTER TABLE assessments DROP CONSTRAINT assessments_state_check;
ALTER TABLE assessments ADD CONSTRAINT assessments_state_check
CHECK (state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING', 'CONFIRMED', 'CLOSED'));

ALTER TABLE assessments
-- The two clocks. The second has no value until every evidence that the claim needs was seen.
ADD COLUMN first_contact_time timestamptz,
ADD COLUMN evidence_complete_time timestamptz,
-- The last day for the evidence that was asked for.
ADD COLUMN evidence_due_on date,
ADD COLUMN closed_schemes text[] NOT NULL DEFAULT '{}';
ALTER TABLE assessments ADD CONSTRAINT assessments_outstanding_is_due
CHECK (state <> 'EVIDENCE_OUTSTANDING' OR evidence_due_on IS NOT NULL);

-- The state of each desk's part of the work, as before; evidence is an assessor's, and a scheme may end by being closed.
DROP INDEX assessments_work_of_office, assessments_work_without_office, assessments_work_of_assessor,
assessments_work_of_caseworkers, assessments_waiting, assessments_crisis_loans;
ALTER TABLE assessments DROP COLUMN assessor_state, DROP COLUMN caseworker_state;
ALTER TABLE assessments
ADD COLUMN assessor_state text GENERATED ALWAYS AS (
    CASE
        WHEN schemes = ARRAY['CHILD_MAINTENANCE'] THEN NULL
        WHEN state = 'CLOSED' THEN 'CLOSED'
        WHEN closed_schemes <> '{}' AND array_remove(schemes, 'CHILD_MAINTENANCE') <@ closed_schemes THEN 'CLOSED'
        WHEN state = 'CONFIRMED' THEN 'CONFIRMED'
        WHEN
            confirmed_schemes <> '{}'
            AND array_remove(schemes, 'CHILD_MAINTENANCE') <@ (confirmed_schemes || closed_schemes)
            THEN 'CONFIRMED'
        WHEN begun = ARRAY['CASEWORKER'] THEN 'READY'
        ELSE state
    END
) STORED,
ADD COLUMN caseworker_state text GENERATED ALWAYS AS (
    CASE
        WHEN NOT 'CHILD_MAINTENANCE' = ANY(schemes) THEN NULL
        WHEN state = 'CLOSED' OR 'CHILD_MAINTENANCE' = ANY(closed_schemes) THEN 'CLOSED'
        WHEN state = 'CONFIRMED' OR 'CHILD_MAINTENANCE' = ANY(confirmed_schemes) THEN 'CONFIRMED'
        WHEN NOT 'CASEWORKER' = ANY(begun) THEN 'READY'
        ELSE 'IN_PROGRESS'
    END
) STORED;

-- Work in one state, the oldest submission first: of an office, without an office, of an assessor, of caseworkers.
CREATE INDEX assessments_work_of_office ON assessments (office_code, assessor_state, submit_time, claim_ref)
WHERE submit_time IS NOT NULL;
CREATE INDEX assessments_work_without_office ON assessments (assessor_state, submit_time, claim_ref)
WHERE submit_time IS NOT NULL AND office_code IS NULL;
CREATE INDEX assessments_work_of_assessor ON assessments (
    office_code, assessor_id, assessor_state, submit_time, claim_ref
) WHERE submit_time IS NOT NULL AND assessor_id IS NOT NULL;
CREATE INDEX assessments_work_of_caseworkers ON assessments (caseworker_state, submit_time, claim_ref)
WHERE submit_time IS NOT NULL AND caseworker_state IS NOT NULL;

-- What is overdue: by the moment since which it waits, or from which it is late.
CREATE INDEX assessments_waiting ON assessments (assessor_state, greatest(start_time, submit_time)) INCLUDE (state)
WHERE submit_time IS NOT NULL AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING');
CREATE INDEX assessments_crisis_loans ON assessments (submit_time)
WHERE 'CRISIS_LOAN' = ANY(schemes) AND NOT 'CRISIS_LOAN' = ANY(confirmed_schemes || closed_schemes)
AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING');
CREATE INDEX assessments_evidence_due ON assessments (((evidence_due_on + 1)::timestamp AT TIME ZONE 'Europe/London'))
WHERE state = 'EVIDENCE_OUTSTANDING';
