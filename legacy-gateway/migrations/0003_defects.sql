-- How often our own code failed over a transfer: after so many times a person looks at it.
ALTER TABLE transfers ADD COLUMN defects integer NOT NULL DEFAULT 0 CHECK (defects >= 0);
