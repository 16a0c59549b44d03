"""A grader for notebook assignments: public and hidden pytest suites behind a wall.

Importing this package does nothing but name the version: `grader --help` must not wait for torch.
"""

__version__ = "0.2.0"
