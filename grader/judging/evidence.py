"""What an instructor is shown of a check that was not passed, beyond its message and detail."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import msgspec
import pytest

from grader.judging.difference_map import difference_map
from grader.judging.transcript import Transcript
from grader.model import Outcome
from grader.testing.check_code import source_of
from grader.testing.failure import CheckFailed
from grader.testing.links import StudentError


def frame_in_check(error: BaseException, item: pytest.Item) -> TracebackType | None:
    """The step of an exception's traceback that lies in a check's own function: the last one."""
    source, first = source_of(item.function)  # type: ignore[attr-defined]
    last = first + source.count("\n")
    found, step = None, error.__traceback__
    while step is not None:
        inside = first <= step.tb_lineno <= last
        if inside and step.tb_frame.f_code.co_filename == str(item.path):
            found = step
        step = step.tb_next
    return found


def check_line(error: BaseException | None, item: pytest.Item) -> int | None:
    """The line of a check's source at which it raised, from 1; None if it did not, or elsewhere."""
    step = None if error is None else frame_in_check(error, item)
    if step is None:
        return None
    return step.tb_lineno - source_of(item.function)[1] + 1  # type: ignore[attr-defined]


def with_evidence(
    outcome: Outcome, error: BaseException, transcript: Transcript, line: int | None
) -> Outcome:
    """Add what the check asked, where it failed and what it compared.

    Args:
        outcome: of a check that was not passed.
        error: what it raised; a submission's, with its place in the judge's copy of the cells.
        transcript: what it asked.
        line: of its source.
    """
    more: dict[str, Any] = {"asked": transcript.lines(), "check_line": line}
    if isinstance(error, StudentError):
        more |= {"cell": error.cell, "line": error.line}
    if isinstance(error, CheckFailed):
        more |= {"expected": error.expected or "", "actual": error.actual or ""}
        if error.compared is not None:
            more["differs"] = difference_map(error.compared)
    return msgspec.structs.replace(outcome, **more)
