"""The gradebook, as people and other programs read it."""
