"""`[tool.grader]` as values."""
