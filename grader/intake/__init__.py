"""From disk to submissions and their cells, within limits."""
