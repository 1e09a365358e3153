"""The planner: moves within next week's rotas of a region that lower the breaches to expect."""
