-- Lists and counts read what is open, or a page, however much was confirmed.

CREATE INDEX assessments_of_office_waiting ON assessments (office_code, (state = 'CONFIRMED'), submit_time, claim_ref)
    WHERE submit_time IS NOT NULL;
DROP INDEX assessments_waiting;

CREATE INDEX outcomes_refused_last ON outcomes (rejected_time)
    WHERE rejected_time IS NOT NULL AND (accepted_time IS NULL OR accepted_time < rejected_time);
DROP INDEX outcomes_refused;
