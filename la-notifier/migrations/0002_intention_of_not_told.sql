-- The day of the intention, kept while no authority is found: an address that was wrong must not cost the date of claim.

ALTER TABLE not_told ADD COLUMN intention_on date;
