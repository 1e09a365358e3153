-- Appointments are moved, cancelled, attended or missed; a claim whose interview fell through waits for another one.

-- Why it was cancelled, sealed with the claim's key.
ALTER TABLE appointments ADD COLUMN cancel_reason bytea;

ALTER TABLE first_contacts
-- Since when a claim whose interview was cancelled or missed waits for another; null before that.
ADD COLUMN waits_since timestamptz,
-- When we told that the target passed without a booking.
ADD COLUMN breach_told_time timestamptz;

-- The oldest that waits comes first, in the list of what is overdue and for what is to be told.
DROP INDEX first_contacts_open;
CREATE INDEX first_contacts_open ON first_contacts (coalesce(waits_since, first_contact_time))
WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL;
CREATE INDEX first_contacts_untold ON first_contacts (first_contact_time)
WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL AND breach_told_time IS NULL;
