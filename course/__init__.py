"""What a notebook of this course imports.

    from course import check, load

`check("shapes")` checks one question of the notebook at once, `check()` all of them;
`load("embeddings")` brings your own earlier work in. Importing this does nothing else: torch,
pytest and matplotlib are imported when something needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import SimpleNamespace
    from typing import Any

__all__ = ["check", "load"]


def check(
    question: str | None = None,
    measured: Mapping[str, Any] | None = None,
    within: float = 0.1,
    or_by: float = 0.0,
) -> None:
    """Check your work and show the result under the cell.

    Args:
        question: the question's name, as the cell gives it; None checks the whole notebook. With
            `"prediction scale"`, what you wrote into `PREDICTED_SCALE` is compared with `measured`.
        measured: what the code gives, by the names in that dict: numbers, or tensors of one.
        within: how far off a prediction may be, as a share of what is measured.
        or_by: how far off it may be, as a difference.

    The notebook says which assignment it is in the variable `ASSIGNMENT`.
    """
    import inspect
    import os

    if "GRADER_GRADING" in os.environ:  # the grader runs its own checks
        return
    from course.checking import check_namespace, display, show
    from course.predictions import compared

    frame = inspect.currentframe()
    caller = frame.f_back if frame is not None else None
    names = caller.f_globals if caller is not None else {}
    if measured is not None and question is not None:
        display(compared(names, question, measured, within, or_by))
    else:
        show(check_namespace(names, question))


def load(assignment: str) -> SimpleNamespace:
    """Bring in what you wrote in an earlier notebook: its classes and functions, by name.

    Only imports, definitions and plain constants of that notebook are run. Where it is missing or
    unfinished, the parts that come with the course stand in, and a line says so.

    Args:
        assignment: the earlier assignment's name, for example `"embeddings"`.
    """
    from course.loading import load_assignment

    return load_assignment(assignment)
