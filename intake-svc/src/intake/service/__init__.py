"""The use cases: each loads, decides and saves, on the connection it is given, for the caller of the current call."""
