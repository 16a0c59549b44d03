"""What a notebook of this course imports: `from handout import check`."""

from __future__ import annotations

import inspect
import os
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
    from grader.testing.notebook import show_checks

    frame = inspect.currentframe()
    caller = frame.f_back if frame is not None else None
    show_checks(caller.f_globals if caller is not None else {}, [CHECKS], question)
