"""The archive that Gradescope wants, and what runs in it."""
