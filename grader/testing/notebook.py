"""What a notebook made of a lesson in one file imports.

    from grader.testing.notebook import check

`check("counts")` runs the public checks of a question on what the notebook defines; they lie in the
folder `checks` beside the notebook. Students have this file too.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDERS = ("checks", "../checks")


def check(
    question: str | None = None,
    measured: Mapping[str, Any] | None = None,
    within: float = 0.1,
    or_by: float = 0.0,
) -> None:
    """Run the public checks on what the notebook defines, and print what came of it.

    The notebook says which assignment it is in the variable `ASSIGNMENT`.

    Args:
        question: its name, as the cell gives it; None checks the whole notebook. With
            `"prediction scale"`, the dict `PREDICTED_SCALE` is compared with `measured`.
        measured: what the code gives, by the names in that dict: numbers, or tensors of one.
        within: how far off a prediction may be, as a share of what is measured.
        or_by: how far off it may be, as a difference.
    """
    if "GRADER_GRADING" in os.environ:  # the grader runs its own checks
        return
    frame = inspect.currentframe()
    caller = frame.f_back if frame is not None else None
    names = caller.f_globals if caller is not None else {}
    if measured is not None and question is not None:
        print(*_predictions(names, question, measured, within, or_by), sep="\n")
    else:
        show_checks(names, FOLDERS, question)


def _predictions(names: dict[str, Any], question: str, *about: Any) -> list[object]:
    from grader.testing.predictions import compare_predictions, predicted_in

    try:
        return [*compare_predictions(names[predicted_in(names, question)], *about)]
    except LookupError as error:
        return [error.args[0]]


def show_checks(
    names: dict[str, Any], folders: Iterable[Path | str], question: str | None = None
) -> None:
    """Run public checks on a notebook's names, and print what came of it.

    Args:
        names: the notebook's globals; `ASSIGNMENT` says which assignment it is.
        folders: where `test_ASSIGNMENT.py` may lie; the first that has it counts.
        question: only this one's checks; None runs all.
    """
    from grader.errors import GraderError
    from grader.testing.local import run_checks
    from grader.testing.practice import each_cause_once

    # what is on stderr counts as failed for nbgrader's Validate button
    failed = sys.stderr if "NBGRADER_VALIDATING" in os.environ else sys.stdout
    if "ASSIGNMENT" not in names:
        print("Run the notebook's first code cell: it says which assignment this is.", file=failed)
        return
    found = (Path(folder, f"test_{names['ASSIGNMENT']}.py") for folder in folders)
    file = next((path for path in found if path.is_file()), None)
    if file is None:
        print("The public checks are missing beside this notebook: unpack it again.", file=failed)
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
