"""Places where the grader works inside somebody else's program."""
