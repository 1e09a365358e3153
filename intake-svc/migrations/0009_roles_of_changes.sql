-- In which roles an answer was given; not known of answers that were given before.
ALTER TABLE answers ADD COLUMN roles text[] NOT NULL DEFAULT '{}';
