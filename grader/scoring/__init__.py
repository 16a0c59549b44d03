"""From outcomes to scores: pure functions."""
