-- The claimant's needs, for the assessor who holds the interview.
ALTER TABLE appointments ADD COLUMN needs text[] NOT NULL DEFAULT '{}';
