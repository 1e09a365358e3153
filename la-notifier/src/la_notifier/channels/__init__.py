"""The ways in which authorities are told, a module each: a further channel is one file and its workers."""
