"""All SQL of scheduling, a module for each theme. Constraints prevent double bookings."""
