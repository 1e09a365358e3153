"""All SQL of intake-svc. Functions take a connection; what a claimant said goes in and out by the claim's cipher."""
