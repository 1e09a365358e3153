-- Claims of persons who may be one: the same birth date and postcode, and surnames that are alike.

-- HMACs of the sounds of a claim's surname, each together with the birth date and the postcode.
CREATE TABLE claim_sounds (
    claim_ref text NOT NULL REFERENCES claims,
    sound bytea NOT NULL,
    PRIMARY KEY (sound, claim_ref)
);
CREATE INDEX claim_sounds_of_claim ON claim_sounds (claim_ref);

-- A pair of claims that may be of one person. `claim_ref` is the one whose answers showed it. Without a verdict it is a warning.
CREATE TABLE possible_duplicates (
    claim_ref text NOT NULL REFERENCES claims,
    other_ref text NOT NULL REFERENCES claims,
    found_time timestamptz NOT NULL,
    verdict text CHECK (verdict IN ('SAME_PERSON', 'OTHER_PERSON')),
    decided_by text,
    decided_time timestamptz,
    reason bytea,
    PRIMARY KEY (claim_ref, other_ref),
    CHECK (claim_ref <> other_ref),
    CHECK (num_nulls(verdict, decided_by, decided_time, reason) IN (0, 4))
);
CREATE INDEX possible_duplicates_of_other ON possible_duplicates (other_ref);

-- A draft of a person who has another claim ends by withdrawal.
ALTER TABLE claims DROP CONSTRAINT claims_withdraw_cause_check;
ALTER TABLE claims ADD CONSTRAINT claims_withdraw_cause_check
    CHECK (withdraw_cause IN ('CLAIMANT_ASKED', 'WRONG_NUMBER', 'DUPLICATE'));
