-- What the directory of postcodes said of an address when it was given: sealed, as the address is.
ALTER TABLE answers ADD COLUMN place bytea;
