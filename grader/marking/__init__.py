"""A person marks answers: what is on the desk, and the page that shows it."""
