"""What a submission's code does beside giving values: it prints, and it draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from grader.testing.failure import fail
from grader.testing.forms.described import Record
from grader.testing.handles import Handle, HandleMisuse, SubmissionNames, link_of, values
from grader.testing.links import Link, Ref
from grader.testing.operations import Op


class Printed:
    """What a submission prints in a `with printing(submission)`; known at its end.

        with printing(submission) as said:
            submission.greet("Ada")
            submission.greet("Ben")
        assert_equal(said.text().count("Hello"), 2, "the greetings")

    For one call `printed` says the same in a line.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._ref: Ref | None = None

    def text(self) -> str:
        """All of it, as one text.

        Raises:
            StudentError: the submission's code raised.
            grader.testing.CheckFailed: it is more than may cross.
        """
        if self._ref is None:
            raise HandleMisuse("what is printed is known at the end of `with printing(…)`")
        said: str = self._link.request(Op.FETCH, object=self._ref)
        return said


@contextmanager
def printing(submission: SubmissionNames) -> Iterator[Printed]:
    r"""Listen to what a submission's code prints inside.

        with printing(submission) as said:
            submission.greet("Ada")
        assert_equal(said.text(), "Hello Ada!\n", "what is printed")

    What is printed before an exception can be had, too: catch that first (`raises`, `tried`).
    """
    link: Link = submission._link
    said = Printed(link)
    link.tell(Op.LISTEN)
    try:
        yield said
    finally:
        said._ref = link.defer(Op.HEARD)


def printed(function: Handle, *args: Any, **kwargs: Any) -> str:
    r"""Call a function over there and fetch what it printed.

        assert_equal(printed(submission.greet, "Ada"), "Hello Ada!\n", "what is printed")

    Raises:
        StudentError: the submission's code raised.
    """
    link = link_of(function)
    link.tell(Op.LISTEN)
    try:
        function(*args, **kwargs)
    finally:
        heard = link.defer(Op.HEARD)
    said: str = link.request(Op.FETCH, object=heard)
    return said


def drawn(function: Handle, *args: Any, **kwargs: Any) -> list[Any]:
    """Call a function over there and fetch the figures that it draws with `matplotlib.pyplot`.

        (figure,) = drawn(submission.plot_growth, [1, 2, 3], [2, 4, 8])
        assert_equal(figure.axes[0].title, "Growth", "the title")

    Figures that were there before are none of them, and stay. What a function *returns* need not be
    asked for in this way: `submission.plot_growth(...).value()` fetches a figure, or axes.

    Raises:
        StudentError: the submission's code raised.
    """
    pyplot = SubmissionNames(link_of(function)).module("matplotlib.pyplot")
    first = _number(pyplot.figure().number.value())  # for what is drawn on whatever there is
    try:
        function(*args, **kwargs).done()
        numbers = _numbers(pyplot, first)
        fetched = values(pyplot.figure(number) for number in numbers)
        return [one for one in fetched if type(one) is Record and one.axes]
    finally:
        for number in _numbers(pyplot, first):
            pyplot.close(number)


def _numbers(pyplot: Handle, first: int) -> list[int]:
    return [number for number in pyplot.get_fignums().value() if _number(number) >= first]


def _number(value: Any) -> int:
    if type(value) is not int:
        fail("figures have other numbers than matplotlib gives them", actual=type(value).__name__)
    return int(value)
