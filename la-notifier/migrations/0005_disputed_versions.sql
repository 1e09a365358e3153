-- When an authority's answer first contradicted our own record of a version, on the platform's clock; empty once it agrees.
ALTER TABLE notice_versions ADD COLUMN disputed timestamptz;

-- A 409 used to end a version for good. Where no later version of ours explains it, the authority is asked what it holds:
-- in a while, when the processes of the last release are gone, for these would end it again.
UPDATE notice_versions
SET state = 'SENT', disputed = superseded, superseded = NULL, next_attempt_time = statement_timestamp() + interval '10 minutes'
FROM notices
WHERE notices.notice_id = notice_versions.notice_id AND notices.wanted
    AND notice_versions.state = 'SUPERSEDED' AND notice_versions.may_be_held AND NOT notice_versions.followed;
