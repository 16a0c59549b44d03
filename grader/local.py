"""`grader.testing.local` under the name that courses written for 0.1 import. Until 1.0."""

from grader.testing.local import run_checks
from grader.testing.practice import LocalResult

__all__ = ["LocalResult", "run_checks"]
