-- A file that was answered again without some of its rows will never be answered for them, because its sequence was taken before
-- or the authority could not read them. They are LEFT_OUT, and their versions go in a later file, as those that were refused may.
ALTER TABLE file_rows
DROP CONSTRAINT file_rows_saying_check,
ADD CONSTRAINT file_rows_saying_check CHECK (saying IN ('LOADED', 'REFUSED', 'LATER_VERSION_HELD', 'LEFT_OUT'));
DROP INDEX one_file_for_a_version;
CREATE UNIQUE INDEX one_file_for_a_version ON file_rows (notice_id, version)
WHERE saying IS NULL OR saying NOT IN ('REFUSED', 'LEFT_OUT');
