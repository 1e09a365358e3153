"""Use cases: looking at a claim's notices again, sending what waits and asking what became of it."""
