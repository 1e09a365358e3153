-- The print queue: letters to authorities that are told by post, and to claimants.

-- `content` is the PDF, sealed. It goes when the letter is cancelled, or some weeks after it was printed. A letter about a
-- notice is to be printed only as long as the version that it tells waits.
CREATE TABLE letters (
    letter_id uuid PRIMARY KEY,
    recipient text NOT NULL CHECK (recipient IN ('COUNCIL', 'CLAIMANT')),
    claim_ref text NOT NULL,
    about text NOT NULL,
    language text NOT NULL CHECK (language IN ('EN', 'CY')),
    authority_code text,
    notice_id uuid,
    version integer,
    state text NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'PRINTED', 'CANCELLED')),
    content bytea,
    created timestamptz NOT NULL,
    due_on date NOT NULL,
    printed timestamptz,
    printed_by text,
    FOREIGN KEY (notice_id, version) REFERENCES notice_versions,
    CONSTRAINT one_letter_for_a_version UNIQUE (notice_id, version),
    CONSTRAINT a_council_is_told_of_a_notice CHECK ((recipient = 'COUNCIL') = (notice_id IS NOT NULL)),
    CONSTRAINT printed_by_somebody CHECK ((state = 'PRINTED') = (printed IS NOT NULL AND printed_by IS NOT NULL)),
    CONSTRAINT content_until_printed CHECK (state <> 'WAITING' OR content IS NOT NULL)
);
CREATE INDEX letters_to_print ON letters (recipient, due_on, created, letter_id) WHERE state = 'WAITING';
CREATE INDEX letters_with_content ON letters (printed) WHERE state = 'PRINTED' AND content IS NOT NULL;
