"""The use cases of an assessment: load, decide, save. Calls to intake stay outside of transactions."""
