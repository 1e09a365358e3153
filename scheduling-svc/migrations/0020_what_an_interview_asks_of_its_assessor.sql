-- What an interview asks of the assessor, and the way to it: kept, since whoever moves it later heeds them.

ALTER TABLE appointments
-- The schemes that are claimed and have an interview, by their names in the contract.
ADD COLUMN schemes text[] NOT NULL DEFAULT '{}',
-- The language, beside English and Welsh, in which it is held; empty where none was named.
ADD COLUMN language text NOT NULL DEFAULT '',
-- The time that a home visit takes from its office to the claimant, one way. The diary has it before and after the visit.
ADD COLUMN travel interval NOT NULL DEFAULT '0' CHECK (travel BETWEEN interval '0' AND interval '4 hours');
