-- How long claims are kept. See docs/adr/0083-erasure-destroys-the-key.md.

-- When the claim ended: withdrawn, or decided or closed in all its schemes. It is kept for 24 months more. Under a legal hold
-- it is kept for longer.
ALTER TABLE claims
    ADD COLUMN last_live_time timestamptz,
    ADD COLUMN erased_time timestamptz,
    ADD COLUMN legal_hold boolean NOT NULL DEFAULT false;
-- An earlier release did not note when a claim was closed: it counts from now.
UPDATE claims SET last_live_time = coalesce(withdraw_time, now()) WHERE state IN ('WITHDRAWN', 'CLOSED');
CREATE INDEX claims_to_erase ON claims (last_live_time, claim_ref)
WHERE last_live_time IS NOT NULL AND erased_time IS NULL AND NOT legal_hold;
CREATE INDEX claims_with_earlier ON claims (earlier_ref) WHERE earlier_ref IS NOT NULL;

-- Each hold that was ever placed. The reason is sealed with the claim's key.
CREATE TABLE legal_holds (
    hold_id uuid PRIMARY KEY,
    claim_ref text NOT NULL REFERENCES claims,
    reason bytea NOT NULL,
    placed_by text NOT NULL,
    placed_time timestamptz NOT NULL,
    lifted_by text,
    lifted_time timestamptz,
    CHECK ((lifted_by IS NULL) = (lifted_time IS NULL))
);
CREATE UNIQUE INDEX one_hold_on_a_claim ON legal_holds (claim_ref) WHERE lifted_time IS NULL;
CREATE INDEX legal_holds_placed ON legal_holds (placed_time, hold_id) WHERE lifted_time IS NULL;
