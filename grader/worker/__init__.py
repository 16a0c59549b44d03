"""The far side of the trust boundary, and the wall itself."""
