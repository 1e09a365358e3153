"""Prints the claim form: the catalogue's questions as a fillable PDF. It needs no running platform."""
