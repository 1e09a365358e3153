-- What became of the interview that the claim has, and the order of an office's day.

ALTER TABLE assessments ADD COLUMN attended_time timestamptz;

-- A day's interviews, in their order.
CREATE INDEX assessments_day_of_office ON assessments (office_code, start_time, claim_ref)
WHERE submit_time IS NOT NULL AND start_time IS NOT NULL;
DROP INDEX assessments_of_office;

-- Found by claim.
ALTER TABLE attendances DROP CONSTRAINT attendances_pkey, ADD PRIMARY KEY (claim_ref, appointment_id);
DROP INDEX attendances_of_claim;
