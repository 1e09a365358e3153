"""All SQL of the assessment service. No claimant's answer is stored."""
