"""What a grading leaves on disk."""
