-- A claim is bound to a catalogue of questions: its interview, facts and checks are evaluated with that one for ever.
-- The release before this one takes claims with the first catalogue, and does not name it.
ALTER TABLE claims ADD COLUMN catalogue integer NOT NULL DEFAULT 1 CHECK (catalogue > 0);
-- By this the numbers in use are found at start, without reading every claim.
CREATE INDEX claims_of_catalogue ON claims (catalogue);

-- The catalogue and the schemes that a claim had before they were changed: `until` is the claim's version that has others.
CREATE TABLE earlier_bindings (
    claim_ref text NOT NULL REFERENCES claims,
    until integer NOT NULL,
    catalogue integer NOT NULL CHECK (catalogue > 0),
    schemes text[] NOT NULL,
    PRIMARY KEY (claim_ref, until)
);
CREATE INDEX earlier_bindings_of_catalogue ON earlier_bindings (catalogue);

-- The catalogue that has the security questions of the call.
ALTER TABLE calls ADD COLUMN catalogue integer NOT NULL DEFAULT 1 CHECK (catalogue > 0);
