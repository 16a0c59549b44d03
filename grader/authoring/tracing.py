"""A process that runs the right answers of a course by its checks and notes what each enters.

It is a judge without workers: the answers are the course's own, so that they need no wall.
"""

from __future__ import annotations

import contextlib
import cProfile
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from grader.authoring.reach import Traced, TraceRequest
from grader.judging import judge
from grader.judging.beside_data import beside_data
from grader.model import Cell, Check, Suite
from grader.serialization import from_json, to_json
from grader.testing.data import CourseData
from grader.testing.handles import SubmissionNames
from grader.testing.local import LocalLink
from grader.wire.judge import read_frame, write_frame

CELL = "<answer {}>"
SEED = 0
MOST_S = 60.0
"""Processor time that a check may take: it is the course's own."""


def main() -> None:
    """Run as the process that `grader/authoring/reach.py` starts."""
    judge.main(Tracing)


class Tracing(judge.Judge):
    """The judge that asks the right answers."""

    def work(self, suites: dict[str, tuple[Suite, list[pytest.Item]]]) -> None:
        """Answer one request."""
        os.environ["GRADER_GRADING"] = "1"  # nobody looks at pictures
        request = from_json(read_frame(self.control), TraceRequest)
        entered = {}
        for assignment, cells in request.cells.items():
            suite, items = suites[assignment]
            CourseData(self.setup.data, self.setup.hidden_data, assignment).use()
            with beside_data(self.setup.data.get(assignment, ())):
                found = self._entered(cells, suite.checks, items)
            if found is not None:
                entered[assignment] = found
        write_frame(self.control, to_json(Traced(entered=entered)))

    def _entered(
        self, cells: Sequence[Cell], checks: Sequence[Check], items: Sequence[pytest.Item]
    ) -> dict[str, frozenset[str]] | None:
        """What each check enters; None if one does not pass: then the gate has more to say."""
        names: dict[str, Any] = {"__name__": "__main__"}
        try:
            for cell in cells:
                exec(compile(cell.source, CELL.format(cell.number), "exec"), names)
        except Exception:
            return None
        found = {}
        for check, item in zip(checks, items, strict=True):
            if not check.runs_on("cpu"):
                continue
            functions: set[str] = set()
            with noted(functions):
                error = self._run_item(
                    item, SEED, lambda: SubmissionNames(LocalLink(names)), MOST_S
                )
            if error is not None:
                return None
            found[check.id] = frozenset(functions)
        return found


@contextlib.contextmanager
def noted(functions: set[str]) -> Iterator[None]:
    """Note the answers' functions that are entered, `name` or `Class.name`, while this lasts."""
    profile = cProfile.Profile(builtins=False)
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        prefix = CELL.partition("{")[0]
        for entry in profile.getstats():
            code = entry.code
            if not isinstance(code, str) and code.co_filename.startswith(prefix):
                outermost = code.co_qualname.partition(".<locals>")[0]
                functions.add(".".join(outermost.split(".")[:2]))
