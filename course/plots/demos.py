"""Demonstrations: cells that show what a student's answers do, and never stand in the way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import FunctionType
from typing import Any, TypeVar

Item = TypeVar("Item")


class demo:  # noqa: N801  # it reads as a word: `with plots.demo():`
    """Run a demonstration that needs your answers; without them, say so instead of failing.

    What it calls its things is its own business: functions and classes of your cells get their
    names back, so that no demonstration takes a helper away from an answer.
    """

    def __enter__(self) -> None:
        caller = sys._getframe(1)
        self.names = caller.f_globals
        self.before = dict(self.names) if caller.f_locals is caller.f_globals else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> bool:
        if self.before is not None:
            _put_back(self.names, self.before)
        if not isinstance(error, Exception):
            return False
        if isinstance(error, NotImplementedError):
            print("Nothing to see yet: this cell comes alive when the cells above are solved.")
        elif isinstance(error, NameError):
            print(f"{error}: run the cells above first.")
        else:
            print(f"This demonstration stopped: {type(error).__name__}: {error}")
            _tell_place(error, self.names)
            print("Look at the cells above once more; check() says more.")
        return True


def _tell_place(error: Exception, names: dict[str, Any]) -> None:
    """Print the innermost line of the notebook that an error came through, as check() does."""
    if "GRADER_GRADING" in os.environ:
        return  # nobody looks
    try:
        from grader.testing.practice import own_place
    except ImportError:
        return  # the demonstrations do without the grader
    place = own_place(error, names)
    if place is not None:
        print(place)


_OWN = "__names_of_demonstrations__"


def _put_back(names: dict[str, Any], before: dict[str, Any]) -> None:
    """Undo what a demonstration did to names of functions and classes that were not its own.

    Args:
        names: the notebook's, now.
        before: the same before it ran.
    """
    own: dict[str, Any] = names.setdefault(_OWN, {})
    for name, value in list(names.items()):
        if name == _OWN or (name in before and before[name] is value):
            continue
        helper = isinstance(before.get(name), (type, FunctionType))
        theirs = helper and (name not in own or own[name] is not before[name])
        if theirs:
            names[name] = before[name]
        else:
            own[name] = value


def rows(items: Iterable[Item]) -> list[Item]:
    """Return what a demonstration goes through; while it is graded the first alone: nobody looks.

    Args:
        items: sizes, temperatures, whatever a student sees a line for.
    """
    return list(items)[: 1 if "GRADER_GRADING" in os.environ else None]


def steps(count: int) -> range:
    """Return the steps of a training or positions of a text; while it is graded the first alone.

    Args:
        count: how many a student sees; they take a few seconds.
    """
    return range(count)[: 1 if "GRADER_GRADING" in os.environ else None]
