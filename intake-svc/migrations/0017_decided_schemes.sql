-- A scheme of a claim is decided when a processing officer has recorded a decision. With the last of them the claim is closed.
ALTER TABLE claim_schemes ADD COLUMN decided boolean NOT NULL DEFAULT false;
