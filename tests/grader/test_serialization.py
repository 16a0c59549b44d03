"""Values as JSON and back."""

from __future__ import annotations

from grader.gradebook import Score, State
from grader.model import Ending, EndingKind
from grader.serialization import from_json, to_json


def test_what_utf_8_cannot_hold_becomes_a_question_mark() -> None:
    score = Score(
        student="ada", assignment="a", state=State.GRADED, earned=1.0, possible=2.0,
        ending=Ending(kind=EndingKind.COMPLETED, message="\ud800!"),
    )  # fmt: skip
    assert from_json(to_json(score), Score).ending.message == "?!"
