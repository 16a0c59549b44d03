"""How a check says that it does not hold."""

from __future__ import annotations

from typing import NoReturn

from grader.testing.excerpts import excerpt


class CheckFailed(AssertionError):
    """A check did not hold. Students see `expected` and `actual` of public checks only."""

    def __init__(self, message: str, *, expected: object = None, actual: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.expected = None if expected is None else excerpt(expected)
        self.actual = None if actual is None else excerpt(actual)


def fail(message: str, *, expected: object = None, actual: object = None) -> NoReturn:
    """Fail the check with a sentence and, when they help, what was expected and what came."""
    raise CheckFailed(message, expected=expected, actual=actual)
