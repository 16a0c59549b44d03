"""What a notebook of this course imports: `from handout import check`."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path

__all__ = ["check"]

CHECKS = Path(__file__).parent / "checks"


def check(question: str | None = None) -> None:
    """Run the public checks on what the notebook defines, and print what came of it.

    Args:
        question: its name, as the cell gives it; None checks the whole notebook.
    """
    if "GRADER_GRADING" in os.environ:  # the grader runs its own checks
        return
    from grader.errors import GraderError
    from grader.testing.local import run_checks
    from grader.testing.practice import each_cause_once

    frame = inspect.currentframe()
    caller = frame.f_back if frame is not None else None
    names = caller.f_globals if caller is not None else {}
    if "ASSIGNMENT" not in names:
        print("Run the notebook's first code cell: it says which assignment this is.")
        return
    # what is on stderr counts as failed for nbgrader's Validate button
    failed = sys.stderr if "NBGRADER_VALIDATING" in os.environ else sys.stdout
    try:
        results = run_checks(names, CHECKS / f"test_{names['ASSIGNMENT']}.py", question)
    except GraderError as error:
        print(error, error.hint, sep="; ", file=failed)
        return
    causes, results = each_cause_once(results)
    for cause, count in causes:
        print(f"✗ {cause}\n  This stopped {count} checks.", file=failed)
    for result in results:
        print(result, file=sys.stdout if result.passed else failed)
