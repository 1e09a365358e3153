"""What a claim taken by phone is: the interview, its answers and its script. Pure: no storage, no transport."""
