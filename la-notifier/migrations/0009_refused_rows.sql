-- A version that was refused in a file may go in a later one, when an officer sends it again: the file that was answered is
-- acknowledged as before for ever, and the version was not loaded by it.
ALTER TABLE file_rows DROP CONSTRAINT one_file_for_a_version;
CREATE UNIQUE INDEX one_file_for_a_version ON file_rows (notice_id, version) WHERE saying IS DISTINCT FROM 'REFUSED';
CREATE INDEX file_rows_of_version ON file_rows (notice_id, version);
