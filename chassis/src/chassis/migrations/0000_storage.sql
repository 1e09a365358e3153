-- What is read often is found by an index of its own, however many rows are done with.

-- Dead letters that wait for a person, and those that somebody asked to have replayed.
CREATE INDEX dead_letters_waiting ON dead_letters (died_time) WHERE replayed_time IS NULL;
CREATE INDEX dead_letters_to_replay ON dead_letters (died_time) WHERE replay_wanted AND replayed_time IS NULL;
