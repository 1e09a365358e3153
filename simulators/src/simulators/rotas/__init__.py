"""The managers' rota system: it publishes the weeks of each staffed office through the door of scheduling."""
