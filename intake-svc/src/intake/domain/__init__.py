"""Claims taken by phone: the interview, its answers and its script. Pure: no storage, no transport."""
