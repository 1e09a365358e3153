-- The version since which an appointment's time, place and way are what they are. A later one changed the assessor alone, of which
-- the claimant is not told.
ALTER TABLE appointments ADD COLUMN arranged_version integer NOT NULL DEFAULT 1;
UPDATE appointments SET arranged_version = version WHERE state = 'MOVED';
