"""What people have given for answers that no check can judge, put into scores: pure functions.

A score is `unmarked` while a manual question of it waits: nobody has marked the answer, the answer
is another one since, two markers don't agree, or an item of the rubric is gone. What checks have
given stands meanwhile, and is no score yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from grader.config.policy import Mark
from grader.gradebook import Marked, QuestionReport, Score, State
from grader.model import Question, Suite, total
from grader.store.marks import heads

Place = tuple[str, str, str]
"""Student, assignment, question."""

NOT_MARKED = "nobody has marked it yet"
CHANGED = "the answer is another one since it was marked"
CONFLICT = "markers don't agree"
GONE = "an item of the rubric that was chosen is gone"


class Ledger:
    """All marks there are, by whose answer to what they are about."""

    def __init__(self, marks: Iterable[Mark] = ()) -> None:
        self._by_place: dict[Place, list[Mark]] = defaultdict(list)
        for one in marks:
            self._by_place[one.student, one.assignment, one.question].append(one)

    def heads(self, place: Place, answer: str) -> tuple[Mark, ...]:
        """The marks of an answer that no other takes the place of, the oldest first."""
        return heads([one for one in self._by_place.get(place, ()) if one.answer == answer])

    def of_others(self, place: Place, answer: str) -> tuple[Mark, ...]:
        """The marks in force of other answers of the same student, the oldest first."""
        others = [one for one in self._by_place.get(place, ()) if one.answer != answer]
        return tuple(one for one in heads(others) if not one.withdrawn)


def with_marks(
    score: Score, questions: Sequence[Question], answers: Mapping[str, str], ledger: Ledger
) -> Score:
    """Return a score as its checks gave it with what people have given besides.

    Args:
        score: before any rule is applied, with the marks of another day or none.
        questions: the manual ones of the assignment.
        answers: digests of the student's answers, by question.
        ledger: all marks.
    """
    score = without_marks(score)
    if not questions:
        return score
    found = tuple(
        marked(one, (score.student, score.assignment, one.id), answers.get(one.id, ""), ledger)
        for one in questions
    )
    possible = total([score.possible, *(one.possible for one in found if not one.bonus)])
    score = msgspec.structs.replace(score, possible=possible, marks=found)
    if score.state is State.MISSING:
        nothing = {one.question: 0.0 for one in found}
        return msgspec.structs.replace(score, questions={**score.questions, **nothing})
    if score.state is not State.GRADED:
        return score
    given = {one.question: one.earned for one in found if one.earned is not None}
    return msgspec.structs.replace(
        score,
        state=State.GRADED if len(given) == len(found) else State.UNMARKED,
        earned=total([score.earned, *given.values()]),
        questions={**score.questions, **given},
    )


def without_marks(score: Score) -> Score:
    """Return a score without what people have given for answers; rules are not looked at."""
    if not score.marks:
        return score
    manual = {one.question for one in score.marks}
    return msgspec.structs.replace(
        score,
        state=State.GRADED if score.state is State.UNMARKED else score.state,
        earned=total([score.earned, -by_hand(score)]) if score.state.has_points else 0.0,
        possible=total([score.possible, *(-one.possible for one in score.marks if not one.bonus)]),
        questions={name: value for name, value in score.questions.items() if name not in manual},
        marks=(),
    )


def as_checks_gave(score: Score) -> Score:
    """Return a score as it was before people and rules have changed it."""
    score = without_marks(score)
    if not score.state.has_points:
        return score
    earned = total(one.earned for one in score.outcomes)
    return msgspec.structs.replace(score, earned=earned, applied=())


def by_hand(score: Score) -> float:
    """Return the points that people have given for answers."""
    return total(one.earned for one in score.marks if one.earned is not None)


def answers_of(score: Score) -> dict[str, str]:
    """Return the digests of a score's answers, as they were when it was given, by question."""
    return {one.question: one.answer for one in score.marks}


def points_of(question: Question, mark: Mark) -> float:
    """Return what a mark gives: the rubric's items and what is added, within the question's."""
    items = {one.id: one.points for one in question.rubric}
    wanted = total([mark.points, *(items.get(name, 0.0) for name in mark.rubric)])
    return min(max(wanted, 0.0), question.points)


def agree(marks: Sequence[Mark]) -> bool:
    """Whether all say the same, whoever said it and when."""
    said = {(frozenset(m.rubric), m.points, m.comment.strip(), m.withdrawn) for m in marks}
    return len(said) <= 1


def marked(question: Question, place: Place, answer: str, ledger: Ledger) -> Marked:
    """Return what people have given for an answer, or why it waits."""
    bare = Marked(question.id, question.points, question.bonus, answer)
    found = ledger.heads(place, answer)
    if not agree(found):
        return msgspec.structs.replace(bare, waits=CONFLICT)
    if not found or found[0].withdrawn:
        waits = CHANGED if ledger.of_others(place, answer) else NOT_MARKED
        return msgspec.structs.replace(bare, waits=waits)
    mark = found[0]
    if set(mark.rubric) - {one.id for one in question.rubric}:
        return msgspec.structs.replace(bare, waits=GONE)
    return msgspec.structs.replace(
        bare,
        earned=points_of(question, mark),
        rubric=tuple(one for one in question.rubric if one.id in mark.rubric),
        adjusted=mark.points,
        comment=mark.comment.strip(),
        by=mark.by,
        at=mark.at,
    )


def with_manual(suite: Suite, manual: Sequence[Question]) -> Suite:
    """Return a suite whose assignment asks these questions as well, for reports alone."""
    if not manual:
        return suite
    asked = (*suite.assignment.questions, *manual)
    assignment = msgspec.structs.replace(suite.assignment, questions=asked)
    return msgspec.structs.replace(suite, assignment=assignment)


def manual_reports(questions: Iterable[Question]) -> tuple[QuestionReport, ...]:
    """Return manual questions as reports show them."""
    return tuple(
        QuestionReport(
            id=one.id,
            title=one.title,
            points=one.points,
            checks=(),
            bonus=one.bonus,
            manual=True,
            rubric=one.rubric,
        )
        for one in questions
    )
