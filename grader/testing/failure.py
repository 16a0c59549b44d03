"""How a check says that it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from grader.testing.excerpts import excerpt

if TYPE_CHECKING:
    from grader.testing.differences import Ruler


class Compared(NamedTuple):
    """Two values that a comparison found different, as they crossed: for a picture of where.

    `near` says of each element of two arrays whether it is as expected; None of anything else.
    """

    actual: Any
    expected: Any
    near: Any
    ruler: Ruler


class CheckFailed(AssertionError):
    """A check did not hold. Students see `expected` and `actual` of public checks only.

        try:
            assert_close(submission.mean([2, 4]).value(), 3.0, "the mean")
        except CheckFailed as error:
            fail("not even two numbers have the right mean", actual=error.actual)

    Comparisons and `fail` raise it; other failed assertions mean the same, without the two values.
    """

    def __init__(
        self,
        message: str,
        *,
        expected: object = None,
        actual: object = None,
        compared: Compared | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = None if expected is None else excerpt(expected)
        self.actual = None if actual is None else excerpt(actual)
        self.compared = compared


def fail(message: str, *, expected: object = None, actual: object = None) -> NoReturn:
    """Fail the check with a sentence and, when they help, what was expected and what came.

        pin = submission.new_pin().value()
        if type(pin) is not str or len(pin) != 4:
            fail("a PIN has four digits", expected="such as '0412'", actual=pin)

    Raises:
        grader.testing.CheckFailed: always.
    """
    raise CheckFailed(message, expected=expected, actual=actual)
