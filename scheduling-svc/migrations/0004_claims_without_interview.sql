-- Claims that wait for no interview: those of child maintenance or a crisis loan alone, and those that were withdrawn.

-- A withdrawal may be heard of before the first contact.
ALTER TABLE first_contacts ALTER COLUMN first_contact_time DROP NOT NULL;
ALTER TABLE first_contacts
ADD COLUMN needs_interview boolean NOT NULL DEFAULT true,
-- The claim's version at which that was heard; a later one counts.
ADD COLUMN claim_version integer NOT NULL DEFAULT 0,
-- From then on no interview is booked.
ADD COLUMN withdrawn_time timestamptz;

DROP INDEX first_contacts_open;
CREATE INDEX first_contacts_open ON first_contacts (first_contact_time)
WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL;
