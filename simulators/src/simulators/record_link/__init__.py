"""What the three mainframes on the record link share; `simulators.iscs`, `jsaps` and `sfcs` say what sets each apart."""
