"""The SFTP door that stand-ins have which take files, and the failures of such a door."""
