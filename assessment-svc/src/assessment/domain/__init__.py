"""The domain of assessment: facts to check, the confirmation of a claim, and the list of work. Pure."""
