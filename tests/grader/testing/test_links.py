"""What a check asks for and does not wait for is its own business."""

from __future__ import annotations

import pytest

from grader.testing import settle
from grader.testing.handles import SubmissionNames
from grader.testing.links import StudentError, check_run
from grader.testing.local import LocalLink


def failing() -> SubmissionNames:
    def fail() -> None:
        raise ValueError("no")

    return SubmissionNames(LocalLink({"fail": fail}))


def test_a_check_waits_for_all_that_it_asked_for() -> None:
    with check_run():
        failing().fail()
        with pytest.raises(StudentError, match="no"):
            settle()


def test_what_a_check_did_not_wait_for_ends_with_it() -> None:
    with check_run():
        names = failing()
        with check_run():
            names.fail()
        settle()
        with check_run():
            settle()


def test_two_checks_at_once_do_not_wait_for_each_other() -> None:
    with check_run() as outer:
        failing().fail()
        with check_run():
            settle()
        with pytest.raises(StudentError):
            outer.settle()
