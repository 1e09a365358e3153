"""The part that all three mainframes on the record link share; `simulators.iscs`, `jsaps` and `sfcs` have their differences."""
