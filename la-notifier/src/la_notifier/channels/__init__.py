"""The channels to authorities, a module each. A further channel is one file and its workers."""
