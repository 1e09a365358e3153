-- Whoever frees time of a day notes a row of their own. One row for the day would have them wait for each other to the end of
-- their transactions; and where such a transaction goes on, as that of many events does, two could wait for each other.
ALTER TABLE freed_days
DROP CONSTRAINT freed_days_pkey,
DROP COLUMN turn,
ADD COLUMN entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
CREATE INDEX freed_days_of_an_office ON freed_days (office_code, day);
