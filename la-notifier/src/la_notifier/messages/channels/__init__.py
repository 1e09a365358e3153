"""The ways by which messages to claimants go, each a module of its own."""
