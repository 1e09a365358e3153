-- A later version was made: if this one was refused, nobody has to see to it any more.
ALTER TABLE notice_versions ADD COLUMN followed boolean NOT NULL DEFAULT false;
UPDATE notice_versions SET followed = true WHERE EXISTS (
    SELECT 1 FROM notice_versions AS later
    WHERE later.notice_id = notice_versions.notice_id AND later.version > notice_versions.version
);

-- When a version was given up, on the platform's clock.
ALTER TABLE notice_versions ADD COLUMN superseded timestamptz;
UPDATE notice_versions SET superseded = created WHERE state = 'SUPERSEDED';

-- What is counted and listed often reads what is open, or an hour of what is at its end, however much was told.
CREATE INDEX notice_versions_open ON notice_versions (state, created)
WHERE state IN ('WAITING', 'SENT', 'RECEIVED') OR (state = 'REFUSED' AND NOT followed);
CREATE INDEX notice_versions_loaded ON notice_versions (loaded) WHERE state = 'LOADED';
CREATE INDEX notice_versions_superseded ON notice_versions (superseded) WHERE state = 'SUPERSEDED';
DROP INDEX notice_versions_unfinished;
