"""All SQL of messages to claimants. Each statement is a constant with its purpose in the first line."""
