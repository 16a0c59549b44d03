"""What the two sides of the wall say to each other."""
