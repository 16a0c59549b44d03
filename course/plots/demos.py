"""Demonstrations: cells that show what a student's answers do, and never stand in the way."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


@contextmanager
def demo() -> Iterator[None]:
    """Run a demonstration that needs your answers; without them, say so instead of failing."""
    try:
        yield
    except NotImplementedError:
        print("Nothing to see yet: this cell comes alive when the cells above are solved.")
    except NameError as error:
        print(f"{error}: run the cells above first.")
    except Exception as error:
        print(f"This demonstration stopped: {type(error).__name__}: {error}")
        print("Look at the cells above once more; check() says more.")


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
