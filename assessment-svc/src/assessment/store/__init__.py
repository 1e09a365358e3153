"""All SQL of the assessment service. Nothing here holds what a claimant told us."""
