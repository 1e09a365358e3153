-- The end of a claim by withdrawal. The reason is sealed.
ALTER TABLE claims
    ADD COLUMN withdraw_time timestamptz,
    ADD COLUMN withdraw_cause text CHECK (withdraw_cause IN ('CLAIMANT_ASKED', 'WRONG_NUMBER')),
    ADD COLUMN withdraw_reason bytea,
    ADD COLUMN withdrawn_by text,
    ADD CONSTRAINT claims_withdrawal_is_whole
        CHECK (num_nulls(withdraw_time, withdraw_cause, withdraw_reason, withdrawn_by) IN (0, 4));
