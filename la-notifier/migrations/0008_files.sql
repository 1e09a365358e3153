-- The channel SFTP: the files of each authority, and which version of a notice went in which.

-- An authority that has the channel. Its files are seen to once in a cycle, by one process at a time.
CREATE TABLE file_authorities (
    authority_code text PRIMARY KEY,
    last_sequence integer NOT NULL DEFAULT 0 CHECK (last_sequence BETWEEN 0 AND 999999),
    due timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    lease uuid,
    leased_until timestamptz
);
CREATE INDEX file_authorities_due ON file_authorities (due);

-- `content` is what the authority gets, sealed; the same bytes at every upload. It goes once the authority has answered for
-- every row.
CREATE TABLE files (
    authority_code text NOT NULL REFERENCES file_authorities,
    sequence integer NOT NULL CHECK (sequence BETWEEN 1 AND 999999),
    state text NOT NULL DEFAULT 'BUILT' CHECK (state IN ('BUILT', 'SENT', 'ACKNOWLEDGED')),
    content bytea,
    row_count integer NOT NULL CHECK (row_count > 0),
    uploads integer NOT NULL DEFAULT 0,
    created timestamptz NOT NULL,
    sent timestamptz,
    acknowledged timestamptz,
    looked_time timestamptz,
    ask_again_time timestamptz,
    PRIMARY KEY (authority_code, sequence),
    CONSTRAINT content_until_acknowledged CHECK ((content IS NULL) = (state = 'ACKNOWLEDGED'))
);
CREATE INDEX files_open ON files (authority_code, looked_time) WHERE state <> 'ACKNOWLEDGED';

-- A version goes in one file for ever: it is asked about by sending that file again. `saying` is what the authority
-- acknowledged.
CREATE TABLE file_rows (
    authority_code text NOT NULL,
    sequence integer NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    notice_id uuid NOT NULL,
    version integer NOT NULL,
    saying text CHECK (saying IN ('LOADED', 'REFUSED', 'LATER_VERSION_HELD')),
    PRIMARY KEY (authority_code, sequence, line),
    FOREIGN KEY (authority_code, sequence) REFERENCES files,
    FOREIGN KEY (notice_id, version) REFERENCES notice_versions,
    CONSTRAINT one_file_for_a_version UNIQUE (notice_id, version)
);
