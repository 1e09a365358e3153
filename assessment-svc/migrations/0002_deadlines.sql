-- By these the work that is overdue is found.
CREATE INDEX assessments_open ON assessments (state, start_time) WHERE state <> 'CONFIRMED';
CREATE INDEX outcomes_refused ON outcomes (rejected_time) WHERE rejected_time IS NOT NULL;
