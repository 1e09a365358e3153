-- The decision on the benefit: its authority is told. A claim of which one was heard; what was decided is asked of the gateway.
ALTER TABLE notice_versions DROP CONSTRAINT notice_versions_kind_check;
ALTER TABLE notice_versions ADD CONSTRAINT notice_versions_kind_check
CHECK (kind IN ('INTENTION', 'CLAIM', 'CHANGE', 'AWARD', 'WITHDRAWN'));
CREATE TABLE decided_claims (claim_ref text PRIMARY KEY);
