"""What can't cross is told with the check, the line and what to write instead."""

from __future__ import annotations

import sys

import pytest

from grader.errors import GraderFault
from grader.testing.failure import CheckFailed
from grader.testing.forms.parts import TooMuch, Unsendable
from grader.testing.handles import SubmissionNames
from grader.testing.links import CantBeSent
from grader.testing.local import LocalLink
from grader.testing.refusals import asking, not_fetched, not_sent

HERE = "test_refusals.py"


def line_here() -> int:
    """The line that asks."""
    return sys._getframe(1).f_lineno


def submission() -> SubmissionNames:
    return SubmissionNames(LocalLink({"own": object, "same": lambda value: value}))


def test_the_check_and_the_line_are_known_through_functions_between() -> None:
    def between() -> tuple[str, str]:
        return asking()

    check, place = between()
    line = line_here() - 1
    assert check == "test_the_check_and_the_line_are_known_through_functions_between"
    assert place.partition(HERE)[2] == f":{line - 2}"


def test_who_sends_what_can_not_cross_is_told_where() -> None:
    with pytest.raises(GraderFault) as fault:
        submission().same(object())
    assert fault.value.message == (
        "`test_who_sends_what_can_not_cross_is_told_where` sends what can't cross, an object is not "
        "plain data: send plain data, or have it made over there, as in submission.Cart()"
    )
    assert fault.value.where.endswith(f"{HERE}:{line_here() - 5}")


def test_who_fetches_what_can_not_cross_is_told_where() -> None:
    with pytest.raises(CheckFailed) as failure:
        submission().own().value()
    line = line_here() - 1
    assert failure.value.message == (
        "the result can't be fetched: an object is not plain data: return plain values; a check "
        f"fetches parts of an object, as in cart.total.value() ({HERE}, line {line})"
    )


def test_what_helps_is_said_when_it_is_known() -> None:
    told = not_sent(Unsendable("an array of dtype object can't cross", "use .tolist()"))
    assert "an array of dtype object can't cross: use .tolist()" in str(told)
    assert isinstance(not_sent(TooMuch("a text of a million")), CantBeSent)


def test_reasons_of_a_stranger_are_short() -> None:
    assert len(not_fetched("x" * 10_000).message) < 600
