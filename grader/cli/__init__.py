"""The command line: parse, call the pipeline, choose the exit code. Nothing is imported early.

Exit codes: 0 all graded · 1 something below `--fail-under`, or a gate or the wall failed ·
2 usage · 3 something ungraded · 4 nothing to grade · 130 interrupted.
"""

from grader.cli.app import grader, main

__all__ = ["grader", "main"]
