-- The times of a call apart, and the ladder of its call-back. The last release fills none of these columns: without them a
-- call has no hold, and its call-back is due at the time that was agreed.

ALTER TABLE calls
    -- On hold since then; the holds before that are over.
    ADD COLUMN held_since timestamptz,
    ADD COLUMN hold interval NOT NULL DEFAULT '0',
    -- Between a dropped line and the caller's next one.
    ADD COLUMN gap interval NOT NULL DEFAULT '0',
    -- Wrap-ups before the line was dropped; the last one runs from `ended` to `wrap_up_ended`.
    ADD COLUMN wrap_up interval NOT NULL DEFAULT '0',
    ADD COLUMN wrap_up_ended timestamptz,
    -- Calls that did not reach the person, the next one, and the letter that takes their place.
    ADD COLUMN call_back_attempts integer NOT NULL DEFAULT 0 CHECK (call_back_attempts >= 0),
    ADD COLUMN call_back_due timestamptz,
    ADD COLUMN call_back_taken_by text,
    ADD COLUMN call_back_taken_until timestamptz,
    ADD COLUMN letter_due_time timestamptz,
    ADD COLUMN letter_sent_time timestamptz,
    ADD COLUMN letter_sent_by text,
    ADD CONSTRAINT calls_call_back_is_taken_by_one
        CHECK (num_nulls(call_back_taken_by, call_back_taken_until) IN (0, 2)),
    ADD CONSTRAINT calls_letter_is_sent_when_due
        CHECK (num_nulls(letter_sent_time, letter_sent_by) IN (0, 2) AND (letter_sent_time IS NULL OR letter_due_time IS NOT NULL));
UPDATE calls SET wrap_up_ended = ended WHERE ended IS NOT NULL;

CREATE INDEX calls_in_wrap_up ON calls (operator) WHERE ended IS NOT NULL AND wrap_up_ended IS NULL;
CREATE INDEX calls_call_backs_due ON calls ((COALESCE(letter_due_time, call_back_due, call_back_time)), call_id)
    WHERE outcome = 'CALL_BACK' AND NOT has_later_call AND letter_sent_time IS NULL;
-- By this the mean handling time of a period is read.
CREATE INDEX calls_ended ON calls (ended) WHERE ended IS NOT NULL;
