-- Claims that wait for an interview are found among those that have none, however many have had theirs.

ALTER TABLE first_contacts ADD COLUMN booked boolean NOT NULL DEFAULT false;
-- The last release books without saying so: those who count look at the appointments of what is open as well.
UPDATE first_contacts SET booked = true
WHERE EXISTS (SELECT 1 FROM appointments WHERE appointments.claim_ref = first_contacts.claim_ref);
CREATE INDEX first_contacts_open ON first_contacts (first_contact_time) WHERE NOT booked;
