-- Slots are held for a call, and kept for emergencies; an interview can be a second attempt.

-- When a slot was offered, by the platform's clock: a call that ended before that does not give it up. Null for an appointment.
ALTER TABLE diary ADD COLUMN held_since timestamptz;
-- Holds that are nobody's any more.
CREATE INDEX diary_holds ON diary (held_until) WHERE appointment_id IS NULL;

-- How many of a shift's last slots are kept for claimants who must be seen on the day.
ALTER TABLE shifts ADD COLUMN emergency_slots integer NOT NULL DEFAULT 0 CHECK (emergency_slots >= 0);

-- 1 for the first interview of a claim; every missed one makes the next a further attempt.
ALTER TABLE appointments ADD COLUMN attempt integer NOT NULL DEFAULT 1;
