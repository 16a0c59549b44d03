"""From lessons to what leaves the house, and the gate on suites."""
