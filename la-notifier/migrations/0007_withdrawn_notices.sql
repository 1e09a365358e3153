-- A withdrawn claim: its authority is told, where it may have been told of the claim.
ALTER TABLE notice_versions DROP CONSTRAINT notice_versions_kind_check;
ALTER TABLE notice_versions ADD CONSTRAINT notice_versions_kind_check
CHECK (kind IN ('INTENTION', 'CLAIM', 'CHANGE', 'WITHDRAWN'));
