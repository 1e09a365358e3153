-- The date of claim for housing benefit as far as it can be told, and the rule by which. Empty where none is sought from the
-- authority, or not any more.
ALTER TABLE notices ADD COLUMN date_of_claim date;
ALTER TABLE notices ADD COLUMN date_of_claim_basis text
CHECK (date_of_claim_basis IN ('ENTITLEMENT', 'INTENTION', 'CLAIM'));
ALTER TABLE notices ADD COLUMN date_of_claim_rule text;
ALTER TABLE notices ADD COLUMN date_of_claim_settled boolean;
ALTER TABLE notices ADD CONSTRAINT a_date_of_claim_is_whole
CHECK (num_nulls(date_of_claim, date_of_claim_basis, date_of_claim_rule, date_of_claim_settled) IN (0, 4));

-- A claim that an officer sent to another authority than its address gives. It holds for the address that the claim had at
-- `claim_version`.
CREATE TABLE redirects (
    claim_ref text PRIMARY KEY,
    authority_code text NOT NULL,
    claim_version integer NOT NULL,
    reason text NOT NULL CHECK (reason IN ('AUTHORITY_REFUSED', 'AUTHORITY_SAID', 'CLAIMANT_SAID', 'OTHER')),
    redirected_by text NOT NULL,
    redirected timestamptz NOT NULL
);
