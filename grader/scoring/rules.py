"""What becomes of the scores that checks gave, in a course: marks by people, rules, adjustments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from grader.config.course import Course
from grader.config.policy import Adjustment, Mark, Policy
from grader.gradebook import AssignmentReport, Gradebook, KeptScore, Score
from grader.model import Question, total
from grader.scoring import policies
from grader.scoring.deadlines import Extensions, deadlines
from grader.scoring.marking import Ledger, answers_of, as_checks_gave, manual_reports, with_marks
from grader.scoring.points import in_order

Answers = Mapping[tuple[str, str], Mapping[str, str]]
"""Digests of answers by question, of each student and assignment."""

NO_ANSWERS: Mapping[str, str] = {}


class ScoreRules:
    """What a course says about when work is due, and what becomes of its scores.

    Args:
        course: whose rules.
        extensions: who has longer.
        adjustments: what instructors have changed by hand.
        kept: what submissions have at least, after a regrading in which only gains count.
        marks: what people have given for answers.
        manual: whether questions that a person marks count.
    """

    def __init__(
        self,
        course: Course,
        extensions: Extensions | None = None,
        adjustments: Sequence[Adjustment] = (),
        kept: Sequence[KeptScore] = (),
        marks: Iterable[Mark] = (),
        *,
        manual: bool = True,
    ) -> None:
        self.due = deadlines(course, extensions)
        self._policies = {one.id: one.policy for one in course.assignments}
        self._adjustments, self._kept = adjustments, kept
        self._manual = {a.id: a.manual for a in course.assignments} if manual else {}
        self.ledger = Ledger(marks)

    def policy(self, assignment: str) -> Policy:
        """The rules of an assignment."""
        return self._policies[assignment]

    def manual(self, assignment: str) -> tuple[Question, ...]:
        """The questions of an assignment that a person marks."""
        return self._manual.get(assignment, ())

    def apply(self, score: Score, answers: Mapping[str, str] = NO_ANSWERS) -> Score:
        """Return a score as people and the rules leave it.

        Args:
            score: what the checks gave.
            answers: digests of the student's answers to what a person marks.
        """
        score = with_marks(score, self.manual(score.assignment), answers, self.ledger)
        due = self.due(score.student, score.assignment)
        policy = self.policy(score.assignment)
        return policies.apply(score, policy, self._adjustments, due, self._kept)


def remark(
    gradebook: Gradebook, course: Course, rules: ScoreRules, answers: Answers | None = None
) -> Gradebook:
    """Return a gradebook with the marks of now, as the next run would write it.

    Args:
        gradebook: what was graded.
        course: its course.
        rules: with the marks of now.
        answers: digests of the answers; those of the gradebook where it tells none.
    """
    known = answers or {}

    def again(score: Score) -> Score:
        if not score.marks and not rules.manual(score.assignment):
            return score
        found = known.get((score.student, score.assignment), answers_of(score))
        return rules.apply(as_checks_gave(score), found)

    reports = tuple(_with_manual(one, rules.manual(one.id)) for one in gradebook.assignments)
    scores = tuple(map(again, gradebook.scores))
    return in_order(msgspec.structs.replace(gradebook, assignments=reports, scores=scores), course)


def _with_manual(report: AssignmentReport, manual: Sequence[Question]) -> AssignmentReport:
    checked = (question for question in report.questions if not question.manual)
    asked = (*checked, *manual_reports(manual))
    points = total(question.points for question in asked if not question.bonus)
    return msgspec.structs.replace(report, questions=asked, points=points)
