-- When a version was made, on the platform's clock: how late it is counts from there.
ALTER TABLE notice_versions ADD COLUMN created timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE INDEX notice_versions_unfinished ON notice_versions (state, created) WHERE state NOT IN ('LOADED', 'SUPERSEDED');
