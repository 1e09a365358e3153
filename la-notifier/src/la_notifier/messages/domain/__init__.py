"""Messages to claimants: their kinds and states, the way by which each goes, and the words of it."""
