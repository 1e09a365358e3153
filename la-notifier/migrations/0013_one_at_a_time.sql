-- Each authority with the API gets one notice at a time, the oldest first, and rests while it takes none: what waits for it when
-- it comes back goes out in order and does not flood it, and no other authority waits behind it.

-- An authority that did not take what was sent to it, or did not say what it holds: how often in a row, and until when it is
-- left alone. The row goes with the next answer.
CREATE TABLE authority_rests (
    authority_code text NOT NULL,
    act text NOT NULL CHECK (act IN ('SEND', 'ASK')),
    failures integer NOT NULL CHECK (failures > 0),
    since timestamptz NOT NULL,
    rests_until timestamptz NOT NULL,
    PRIMARY KEY (authority_code, act)
);

-- The authorities for which something waits, and the oldest of each, are read from the index; so is what is under way.
CREATE INDEX notice_versions_to_send_by_authority ON notice_versions (channel, authority, created) WHERE state = 'WAITING';
CREATE INDEX notice_versions_to_ask_by_authority ON notice_versions (channel, authority, next_attempt_time)
WHERE state IN ('SENT', 'RECEIVED');
CREATE INDEX notice_versions_under_way ON notice_versions (channel, authority) WHERE lease IS NOT NULL;
DROP INDEX notice_versions_to_ask;
