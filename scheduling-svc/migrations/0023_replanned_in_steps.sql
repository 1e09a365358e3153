-- A replanning of many interviews goes on in steps, each a transaction of its own: these are left for a later step.
ALTER TABLE displaced ADD COLUMN still_to_move boolean NOT NULL DEFAULT false;
CREATE INDEX displaced_still_to_move ON displaced (appointment_id) WHERE still_to_move;
