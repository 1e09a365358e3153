"""Rules of the assessment as files of data, each with the module that reads it."""
