"""All SQL of intake-svc. Functions take a connection; the claim's cipher seals and opens answers."""
