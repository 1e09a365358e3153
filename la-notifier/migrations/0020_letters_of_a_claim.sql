-- Letters whose content is still there, for the erasure of a claim.
CREATE INDEX letters_of_claim ON letters (claim_ref) WHERE content IS NOT NULL;
