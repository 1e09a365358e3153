-- What officers see of notices and do with them: lists by authority, clocks that run, lateness, and work for a person.

-- Lists and sending go by authority. The trigger fills the column until the last release is gone, and goes with the next one.
ALTER TABLE notice_versions ADD COLUMN authority text;
UPDATE notice_versions SET authority = notices.authority_code FROM notices
WHERE notices.notice_id = notice_versions.notice_id;
CREATE FUNCTION authority_of_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.authority := coalesce(
        NEW.authority, (SELECT authority_code FROM notices WHERE notice_id = NEW.notice_id)
    );
    RETURN NEW;
END
$$;
CREATE TRIGGER authority_of_notice BEFORE INSERT ON notice_versions FOR EACH ROW EXECUTE FUNCTION authority_of_notice();
ALTER TABLE notice_versions ALTER COLUMN authority SET NOT NULL;

-- The states in which a version was found to be late: of each is told once.
ALTER TABLE notice_versions ADD COLUMN late_states text[] NOT NULL DEFAULT '{}';

-- Each list is read from an index in its order, however much is stored.
CREATE INDEX notice_versions_open_listed ON notice_versions (created, notice_id, version)
WHERE state IN ('WAITING', 'SENT', 'RECEIVED') OR (state = 'REFUSED' AND NOT followed);
CREATE INDEX notice_versions_open_of_authority ON notice_versions (authority, created, notice_id, version)
WHERE state IN ('WAITING', 'SENT', 'RECEIVED') OR (state = 'REFUSED' AND NOT followed);
CREATE INDEX notice_versions_ended_listed ON notice_versions (state, created, notice_id, version)
WHERE state IN ('LOADED', 'SUPERSEDED');
CREATE INDEX notice_versions_ended_of_authority ON notice_versions (authority, state, created, notice_id, version)
WHERE state IN ('LOADED', 'SUPERSEDED');
CREATE INDEX notice_versions_late ON notice_versions (created, notice_id, version) WHERE late_states <> '{}'
AND (state IN ('WAITING', 'SENT', 'RECEIVED') OR (state = 'REFUSED' AND NOT followed));

-- The clocks that run: INTENTION until the authority has the intention, CLAIM until it has the claim. A row goes when the
-- authority has it. The table stays as small as what is still to come, however many notices are stored.
CREATE TABLE notice_clocks (
    notice_id uuid NOT NULL REFERENCES notices,
    clock text NOT NULL CHECK (clock IN ('INTENTION', 'CLAIM')),
    authority_code text NOT NULL,
    due_on date NOT NULL,
    PRIMARY KEY (notice_id, clock)
);
CREATE INDEX notice_clocks_due ON notice_clocks (due_on, notice_id, clock);
CREATE INDEX notice_clocks_due_of_authority ON notice_clocks (authority_code, due_on, notice_id, clock);

INSERT INTO notice_clocks (notice_id, clock, authority_code, due_on)
SELECT notice.notice_id, running.clock, notice.authority_code, running.due_on
FROM notices AS notice
    JOIN notice_versions AS newest ON newest.notice_id = notice.notice_id AND NOT newest.followed
    CROSS JOIN LATERAL (VALUES
        ('INTENTION', (newest.first_contact_on + interval '1 month')::date),
        ('CLAIM', (notice.intention_on + interval '1 month')::date)
    ) AS running (clock, due_on)
WHERE notice.wanted AND newest.kind <> 'WITHDRAWN' AND NOT EXISTS (
    SELECT FROM notice_versions AS told
    WHERE told.notice_id = notice.notice_id AND told.state <> 'REFUSED'
        AND (told.received IS NOT NULL OR told.loaded IS NOT NULL OR told.receipt IS NOT NULL)
        AND (running.clock = 'INTENTION' OR EXISTS (
            SELECT FROM notice_versions AS claim
            WHERE claim.notice_id = told.notice_id AND claim.kind = 'CLAIM' AND claim.version <= told.version
        ))
);

-- Work for a person. `fields` are the notice's, as the authority named them; `words` is what a person of the authority wrote, and
-- `answer` what the officer did, both sealed.
CREATE TABLE work_items (
    work_item_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('REFUSAL', 'QUESTION', 'REFERRAL')),
    reason text NOT NULL,
    claim_ref text NOT NULL,
    notice_id uuid REFERENCES notices,
    notice_version integer,
    authority_code text NOT NULL,
    fields text[] NOT NULL DEFAULT '{}',
    words bytea,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'DONE')),
    owner text NOT NULL DEFAULT 'PROCESSING_OFFICER',
    opened timestamptz NOT NULL,
    deadline timestamptz NOT NULL,
    done timestamptz,
    done_by text,
    outcome text,
    answer bytea,
    CHECK ((state = 'DONE') = (done IS NOT NULL AND outcome IS NOT NULL))
);
-- A refusal is one open work item, however often it is told.
CREATE UNIQUE INDEX one_open_refusal_of_a_version ON work_items (notice_id, notice_version)
WHERE kind = 'REFUSAL' AND state = 'OPEN';
-- So is a referral of a claim to an authority for a reason.
CREATE UNIQUE INDEX one_open_referral ON work_items (claim_ref, authority_code, reason)
WHERE kind = 'REFERRAL' AND state = 'OPEN';
CREATE INDEX work_items_open ON work_items (deadline, work_item_id) WHERE state = 'OPEN';
CREATE INDEX work_items_open_of_authority ON work_items (authority_code, deadline, work_item_id) WHERE state = 'OPEN';
CREATE INDEX work_items_done ON work_items (done, work_item_id) WHERE state = 'DONE';
CREATE INDEX work_items_done_of_authority ON work_items (authority_code, done, work_item_id) WHERE state = 'DONE';
CREATE INDEX work_items_of_claim ON work_items (claim_ref);

-- Refusals that stand today are work as well.
INSERT INTO work_items
    (work_item_id, kind, reason, claim_ref, notice_id, notice_version, authority_code, fields, opened, deadline)
SELECT gen_random_uuid(), 'REFUSAL', 'FIELDS_REFUSED', notices.claim_ref, refused.notice_id, refused.version,
    notices.authority_code, refused.refused_fields, refused.created, refused.created + interval '1 day'
FROM notice_versions AS refused JOIN notices USING (notice_id)
WHERE refused.state = 'REFUSED' AND NOT refused.followed;
