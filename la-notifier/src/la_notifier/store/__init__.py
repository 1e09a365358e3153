"""All SQL of the notifier. Each statement is a constant with its purpose in the first line."""
