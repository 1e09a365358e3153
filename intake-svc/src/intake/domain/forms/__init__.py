"""The claim form on paper: the same questions as the interview, numbered, with routing in words, and its reading."""
