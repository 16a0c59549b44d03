"""Lessons as files: their cells, what marks them, and what a lesson in one file carries."""
