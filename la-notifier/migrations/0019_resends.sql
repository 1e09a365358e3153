-- Who sent a version again, and why.
CREATE TABLE resends (
    resend_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    notice_id uuid NOT NULL,
    version integer NOT NULL,
    reason text NOT NULL,
    resent_by text NOT NULL,
    resend_time timestamptz NOT NULL,
    FOREIGN KEY (notice_id, version) REFERENCES notice_versions
);
CREATE INDEX resends_of_a_notice ON resends (notice_id, resend_time);
