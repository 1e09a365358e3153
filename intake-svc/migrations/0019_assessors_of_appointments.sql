-- The assessor of the claim's latest appointment, who may name it as the purpose of reading the claim. Unknown of one that
-- was heard of before.
ALTER TABLE claims ADD COLUMN assessor_id text;
