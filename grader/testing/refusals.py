"""What can't cross, in words that name the check, the line and what to write instead."""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import NamedTuple

from grader.errors import GraderFault
from grader.testing.failure import CheckFailed
from grader.testing.forms.parts import TooMuch, Unsendable
from grader.testing.links import CantBeSent

ON_THE_WAY = ("grader.", "contextlib", "functools")
"""Modules between a check and its link."""

AROUND = ("_pytest", "pluggy")
"""Modules that call checks."""


SEND_INSTEAD = "send plain data, or have it made over there, as in submission.Cart()"
FETCH_INSTEAD = "return plain values; a check fetches parts of an object, as in cart.total.value()"
MAX_REASON = 400


class Asking(NamedTuple):
    """A check, by its function's name, and the line that asks: `file:line`; or nothing is known."""

    check: str
    place: str

    def brief(self) -> str:
        """`test_sums.py, line 12`, as students may read it."""
        file, _, line = self.place.rpartition(":")
        return f"{PurePath(file).name}, line {line}" if file else ""


def asking() -> Asking:
    """The check that is being run, and the line of the suite that it has come to."""
    frame = sys._getframe(1)
    check = place = ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(AROUND):
            break
        if not f"{module}.".startswith(ON_THE_WAY) and module not in ON_THE_WAY:
            place = place or f"{frame.f_code.co_filename}:{frame.f_lineno}"
            check = frame.f_code.co_name
        frame = frame.f_back  # type: ignore[assignment]
    return Asking(check, place)


def not_sent(error: Unsendable) -> Exception:
    """What a check that sends this is told.

    What is no plain data is the check's own fault; too much may be what a submission returned.
    """
    check, place = asking()
    instead = error.instead or SEND_INSTEAD
    if isinstance(error, TooMuch):
        return CantBeSent(f"a check sent what can't be sent: {error} ({place})")
    told = f"`{check}` sends what can't cross, {error.what}: {instead}"
    return GraderFault(told if check else f"a check sends what can't cross, {error}", where=place)


def why_not_fetched(error: Unsendable) -> str:
    """What keeps a result from being fetched, and what helps."""
    return f"{error.what}: {error.instead or FETCH_INSTEAD}"


def not_fetched(reason: str) -> CheckFailed:
    """What a check that fetches this is told: its value can't be had, for a reason."""
    place = asking().brief()
    told = f"the result can't be fetched: {reason[:MAX_REASON]}"
    return CheckFailed(f"{told} ({place})" if place else told)
