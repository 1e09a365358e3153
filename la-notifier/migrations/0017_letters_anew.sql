-- A message that waits in the print queue is written anew where the claimant's address or wishes changed: as another letter, so
-- that whoever holds the earlier one on paper is told that it must not go. Without a value the letter has the message's id.
ALTER TABLE messages ADD COLUMN letter_id uuid;
