"""`cms replay-week`: the week of July 2005 in which 3,030 of CMS2's 4,333 transfers failed, made again."""
