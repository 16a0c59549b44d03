"""Source notebooks of other graders, made into lessons in one file."""
