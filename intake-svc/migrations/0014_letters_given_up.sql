-- A letter that cannot be sent, because no safe address is known, ends as one that was sent does, at `letter_sent_time`.
ALTER TABLE calls ADD COLUMN letter_given_up boolean NOT NULL DEFAULT false;
