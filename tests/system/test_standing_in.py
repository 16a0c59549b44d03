"""Names that mean something else for a while: judging a class apart from its parts."""

from __future__ import annotations

from typing import Any

import pytest

from grader.testing import standing_in
from grader.testing.handles import SubmissionNames
from grader.testing.links import StudentError
from grader.testing.local import LocalLink

SOURCE = """
class Wheel:
    turns = "badly"

class Cart:
    def __init__(self):
        self.turns = Wheel().turns

class Captured:
    def __init__(self, wheel=Wheel):
        self.turns = wheel().turns

class SoundWheel:
    turns = "well"
"""


@pytest.fixture
def namespace() -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    return namespace


def test_a_class_finds_the_stand_in_and_later_its_own(namespace: dict[str, Any]) -> None:
    submission = SubmissionNames(LocalLink(namespace))
    own = namespace["Wheel"]
    with standing_in(submission.Cart, Wheel=submission.SoundWheel):
        assert submission.Cart().turns.value() == "well"
    assert submission.Cart().turns.value() == "badly"
    assert namespace["Wheel"] is own


def test_a_name_that_was_not_there_is_gone_afterwards(namespace: dict[str, Any]) -> None:
    submission = SubmissionNames(LocalLink(namespace))
    with standing_in(submission.Cart, Axle=submission.SoundWheel):
        assert "Axle" in namespace
    assert "Axle" not in namespace


def test_names_come_back_after_an_error(namespace: dict[str, Any]) -> None:
    submission = SubmissionNames(LocalLink(namespace))
    own = namespace["Wheel"]
    with (
        pytest.raises(StudentError),
        standing_in(submission.Cart, Wheel=submission.SoundWheel),
    ):
        submission.Cart(1, 2, 3)
    assert namespace["Wheel"] is own


def test_what_was_captured_earlier_is_not_reached(namespace: dict[str, Any]) -> None:
    submission = SubmissionNames(LocalLink(namespace))
    with standing_in(submission.Captured, Wheel=submission.SoundWheel):
        assert submission.Captured().turns.value() == "badly"


def test_a_function_without_globals_raises(namespace: dict[str, Any]) -> None:
    namespace["number"] = 3
    submission = SubmissionNames(LocalLink(namespace))
    with (
        pytest.raises(StudentError),
        standing_in(submission.number, Wheel=submission.SoundWheel),
    ):
        pass
