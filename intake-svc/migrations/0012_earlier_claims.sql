-- The earlier claim of the person, whose answers are confirmed instead of asked again once the caller has shown who is calling.
ALTER TABLE claims
    ADD COLUMN earlier_ref text REFERENCES claims,
    ADD COLUMN earlier_questions text[],
    ADD COLUMN earlier_tries_left integer CHECK (earlier_tries_left >= 0),
    ADD CONSTRAINT claims_earlier_is_whole
        CHECK (num_nulls(earlier_ref, earlier_questions, earlier_tries_left) IN (0, 3));
-- Passed in this call alone.
ALTER TABLE calls ADD COLUMN earlier_passed boolean NOT NULL DEFAULT false;
-- The earlier claim whose answer was confirmed.
ALTER TABLE answers ADD COLUMN confirmed_from text;

-- Whether CrisisLoanRequested went out: once for a claim.
ALTER TABLE claims ADD COLUMN crisis_loan_requested boolean NOT NULL DEFAULT false;

-- When the schemes or the catalogue were changed, by the platform's clock.
ALTER TABLE earlier_bindings ADD COLUMN changed_time timestamptz NOT NULL DEFAULT now();
