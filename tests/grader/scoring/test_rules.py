"""Marks go through the same rules as checks, and a gradebook is marked again without grading."""

from __future__ import annotations

from pathlib import Path

import msgspec
from to_mark import write_class

from grader.config.policy import Adjustment, Mark
from grader.gradebook import Gradebook, KeptScore, Score, State
from grader.reports.gradebook_json import decode
from grader.scoring.adjusting import readjust
from grader.scoring.marking import answers_of
from grader.scoring.rules import ScoreRules, remark


def marks(score: Score, **points: float) -> list[Mark]:
    answers = answers_of(score)
    return [
        Mark(score.student, "tides", name, answers[name], points=value)
        for name, value in points.items()
    ]


def graded(root: Path) -> tuple[object, Gradebook]:
    course, reports = write_class(root, {"ann": "the moon", "bo": "the sun"})
    return course, decode((reports / "gradebook.json").read_bytes())


def test_the_same_marks_change_nothing_and_new_ones_their_score_alone(tmp_path: Path) -> None:
    course, book = graded(tmp_path)
    assert remark(book, course, ScoreRules(course)) == book
    mine = marks(book.scores[0], why=3, sketch=1)
    after = remark(book, course, ScoreRules(course, marks=mine))
    assert [one.state for one in after.scores] == [State.GRADED, State.UNMARKED]
    assert [one.earned for one in after.scores] == [6, 1]
    assert [one.known for one in after.totals] == [True, False]
    assert after.scores[1] == book.scores[1]
    assert remark(after, course, ScoreRules(course)) == book


def test_rounding_and_adjustments_come_after_marks(tmp_path: Path) -> None:
    course, book = graded(tmp_path)
    config = course.assignments[0]
    policy = msgspec.structs.replace(config.policy, round_to=0.5)
    changed = msgspec.structs.replace(config, policy=policy)
    course = msgspec.structs.replace(course, assignments=(changed,))
    mine = marks(book.scores[0], why=2.2, sketch=0)
    by_hand = [Adjustment("ann", "tides", 9, "fair", question="why")]
    rules = ScoreRules(course, marks=mine, adjustments=by_hand)
    score = remark(book, course, rules).scores[0]
    assert [(one.rule, one.difference) for one in score.applied] == [
        ("rounding", -0.2), ("adjustment", 1.8),  # no more than the question is worth
    ]  # fmt: skip
    assert score.earned == 5.8
    assert readjust(remark(book, course, rules), ()).scores[0].earned == 4


def test_what_is_kept_after_a_regrading_is_kept_beside_marks(tmp_path: Path) -> None:
    course, book = graded(tmp_path)
    second = book.scores[1]  # has 1 of 2 now, and had both
    kept = [KeptScore("bo", "tides", second.digest, 2, "it was better before")]
    rules = ScoreRules(course, kept=kept, marks=marks(second, why=3, sketch=0))
    assert remark(book, course, rules).scores[1].earned == 5
