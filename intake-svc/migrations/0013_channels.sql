-- The way by which a claim came. The release before this one takes claims in calls alone, and does not name it.
ALTER TABLE claims ADD COLUMN channel text NOT NULL DEFAULT 'PHONE'
    CHECK (channel IN ('PHONE', 'SCREEN_FORM', 'KEYED_FORM'));
