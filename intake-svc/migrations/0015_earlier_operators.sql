-- Who had a call before the operator who went on with it after its line was dropped, the first one first.
ALTER TABLE calls ADD COLUMN earlier_operators text[] NOT NULL DEFAULT '{}';
