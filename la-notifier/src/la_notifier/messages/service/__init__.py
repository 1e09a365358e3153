"""Use cases: hearing what there is to tell, writing messages, sending them, and showing what became of them."""
