"""Checks of notebooks that are never graded."""
