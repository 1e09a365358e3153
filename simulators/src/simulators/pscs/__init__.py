"""PSCS, the Pension Service Computer System: batch files over SFTP, answered in its own cycle."""
