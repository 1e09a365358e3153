"""Data of messages to claimants: what they say, in both languages."""
