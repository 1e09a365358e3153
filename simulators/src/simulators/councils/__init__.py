"""The councils' API: one stand-in for every authority that takes notices over HTTP."""
