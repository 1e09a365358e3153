-- The channel in which the claimant wanted to be seen: the demand is that channel's, in whichever the interview is held. Null for
-- those booked before; they count to the channel in which they are held.
ALTER TABLE appointments ADD COLUMN wanted_channel text CHECK (wanted_channel IN ('OFFICE', 'TELEPHONE', 'HOME_VISIT'));

-- The same of a slot that is held in a call, with the office nearest to the claimant, so that a booking of it need not be told.
ALTER TABLE diary ADD COLUMN wanted_channel text CHECK (wanted_channel IN ('OFFICE', 'TELEPHONE', 'HOME_VISIT'));
ALTER TABLE diary ADD COLUMN home_office_code text;
