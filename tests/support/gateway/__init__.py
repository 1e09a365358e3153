"""The gateway's inside for its tests: the owners of its facts in memory, events, and a ledger that is stepped by hand."""
