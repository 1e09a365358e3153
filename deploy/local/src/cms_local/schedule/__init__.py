"""The schedule of the offices: the week ahead as a picture."""
