"""The domain of scheduling: offices and who works there, working time and the target, slots, appointments. Pure."""
