"""What a notebook made of a lesson in one file imports.

    from grader.testing.notebook import check

`check("counts")` runs the public checks of a question on what the notebook defines; they lie in the
folder `checks` beside the notebook. Students have this file too.
"""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path

FOLDERS = ("checks", "../checks")


def check(question: str | None = None) -> None:
    """Run the public checks on what the notebook defines, and print what came of it.

    The notebook says which assignment it is in the variable `ASSIGNMENT`.

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
    # what is on stderr counts as failed for nbgrader's Validate button
    failed = sys.stderr if "NBGRADER_VALIDATING" in os.environ else sys.stdout
    if "ASSIGNMENT" not in names:
        print("Run the notebook's first code cell: it says which assignment this is.", file=failed)
        return
    file = _checks_of(str(names["ASSIGNMENT"]))
    if file is None:
        print("The folder `checks` is missing beside this notebook: unpack it again.", file=failed)
        return
    try:
        results = run_checks(names, file, question)
    except GraderError as error:
        print(error, error.hint, sep="; ", file=failed)
        return
    causes, results = each_cause_once(results)
    for cause, count in causes:
        print(f"✗ {cause}\n  This stopped {count} checks.", file=failed)
    for result in results:
        print(result, file=sys.stdout if result.passed else failed)


def _checks_of(assignment: str) -> Path | None:
    found = (Path(folder, f"test_{assignment}.py") for folder in FOLDERS)
    return next((path for path in found if path.is_file()), None)
