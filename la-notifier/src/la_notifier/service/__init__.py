"""Use cases: reviewing claims, sending notices, asking authorities what they hold, and showing notices."""
