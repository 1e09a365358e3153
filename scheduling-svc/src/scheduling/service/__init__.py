"""The use cases of scheduling: each on the connection it is given."""
