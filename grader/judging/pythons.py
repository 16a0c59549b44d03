"""Notebooks from a newer Python than the one that grades: what only that one has fails here.

Nobody can tell for sure. Named is who had an error that such a difference gives: text that is no
Python here, or a name that the standard library does not have. The versions are those of the
notebook's last save, and of this process, whose Python is the workers' too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import msgspec

from grader.model import Problem, ProblemKind, Pythons, Run, Status, Submission

ADDED_LATER = frozenset({"annotationlib", "compression"})
"""Modules of a standard library that is newer than the oldest Python that grades."""

_ABSENT = re.compile(
    r"cannot import name '[^']*' from '(\w+)"
    r"|No module named '(\w+)"
    r"|module '(\w+)[\w.]*' has no attribute"
)


def with_pythons(run: Run, saved_with: str) -> Run:
    """Return a run that says so, where a newer Python may be why something failed.

    Args:
        run: what came of a notebook here.
        saved_with: the minor version that the notebook names, `3.12`; empty where it names none.
    """
    here = sys.version_info[:2]
    newer = not saved_with or tuple(map(int, saved_with.split("."))) > here
    failures = list(_failures(run)) if newer else []
    lacking = any(map(_is_of_the_library, failures))
    if not lacking and not any(one.startswith("SyntaxError:") for one in failures):
        return run
    pythons = Pythons(".".join(map(str, here)), saved_with)
    problems = (_problem(pythons, run.submission),) if saved_with or lacking else ()
    return msgspec.structs.replace(run, pythons=pythons, problems=run.problems + problems)


def _failures(run: Run) -> Iterator[str]:
    yield from (f"{one.error}: {one.message}" for one in run.cell_errors)
    yield from (one.detail for one in run.outcomes if one.status is Status.ERROR)


def _is_of_the_library(said: str) -> bool:
    """Whether an error is about a name that the standard library does not have here."""
    found = _ABSENT.search(said)
    return found is not None and found[found.lastindex or 0] in (
        sys.stdlib_module_names | ADDED_LATER
    )


def _problem(pythons: Pythons, submission: Submission) -> Problem:
    here, there = pythons.graded_with, pythons.saved_with
    if pythons.saved_with:
        what = (
            f"it was saved with Python {there}, and is graded with Python {here}: "
            "that may be why something failed"
        )
    else:
        what = (
            f"it asks the standard library for what Python {here} does not have, but a newer "
            "one may"
        )
    return Problem(
        kind=ProblemKind.PYTHON,
        message=what,
        where=submission.name,
        hint=f"grade with the Python of your students, or tell them to write for Python {here}",
        student=submission.student,
        assignment=submission.assignment,
    )
