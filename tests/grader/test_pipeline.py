"""The stages as functions: what needs no process."""

from __future__ import annotations

from typing import Any

import pytest

from grader.model import Assignment, Limits, Submission, Suite
from grader.pipeline import Options, plan

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
