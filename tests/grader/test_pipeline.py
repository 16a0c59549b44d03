"""The stages as functions: what needs no process."""

from __future__ import annotations

from typing import Any

import pytest

from grader.gradebook import State
from grader.intake.discovery import Discovery
from grader.model import Assignment, Limits, Problem, ProblemKind, Submission, Suite
from grader.pipeline import Options, plan, score_absent

SUITE = Suite(assignment=Assignment(id="adding", title="Adding"), checks=(), files=(), digest="d")


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({}, Limits()),
        ({"timeout_s": 2.5}, Limits(check_s=2.5, cell_s=2.5)),
    ],
)
def test_a_timeout_is_for_checks_and_cells(options: dict[str, Any], limits: Limits) -> None:
    submission = Submission(student="a", assignment="adding", path="a.py", name="a.py", digest="d")
    (planned,) = plan([submission], {"adding": SUITE}, Limits(), Options(**options))
    assert planned.limits == limits


def test_whoever_handed_in_nothing_usable_has_the_best_reason_that_there_is() -> None:
    suites = {name: Suite(Assignment(name, name), (), (), "") for name in ("one", "two", "three")}
    problems = (
        Problem(ProblemKind.UNMATCHED, "it matches no assignment", student="ann"),
        Problem(ProblemKind.DUPLICATE, "2 files", hint="keep one", student="ann", assignment="one"),
        Problem(ProblemKind.LATE, "late", student="bob"),
        Problem(ProblemKind.TOO_MANY, "201 files", student="cho", assignment="two"),
        Problem(ProblemKind.UNOWNED, "nobody's", assignment="three"),
    )
    found = Discovery((), problems, ("ann", "bob", "cho"))
    rows = {
        (one.student, one.assignment): one for one in score_absent(found, suites, [], Options())
    }
    told = {
        key: (row.ending.problem, row.ending.message, row.ending.hint)
        for key, row in rows.items()
        if row.state is State.UNGRADED
    }
    assert told == {
        ("ann", "one"): ("duplicate", "2 files", "keep one"),
        ("ann", "two"): ("unmatched", "it matches no assignment", ""),
        ("ann", "three"): ("unmatched", "it matches no assignment", ""),
        ("cho", "two"): ("too-many", "201 files", ""),
    }
    assert {row.state for key, row in rows.items() if key not in told} == {State.MISSING}
