-- The tries that are left at the security questions of an earlier claim outlive the link to it: another NINO brings no new ones.
ALTER TABLE claims DROP CONSTRAINT claims_earlier_is_whole;
ALTER TABLE claims ADD CONSTRAINT claims_earlier_is_whole CHECK (
    num_nulls(earlier_ref, earlier_questions) IN (0, 2) AND (earlier_ref IS NULL OR earlier_tries_left IS NOT NULL)
);
