"""Rules that change a score after the checks: pure functions, each change listed beside its score.

In this order: bonus points above the maximum are cut (`bonus = "cap"`), coming late is paid for
(`late`), the sum is rounded to a multiple (`round_to`), what a regrading has taken is given back
where only gains count, and an instructor's adjustments come last, so that nothing changes them. A
score never falls below zero. What is not graded has no score that a rule could change. Where nobody
knows when something was handed in, nobody pays: that is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from grader.config.policy import Adjustment, Due, Late, Policy
from grader.gradebook import AppliedRule, KeptScore, Score, State, Total
from grader.model import Problem, ProblemKind, Submission, total
from grader.scoring.lateness import extended, penalty

ADJUSTMENT, EXTENSION, REGRADE = "adjustment", "extension", "regrade"
"""Rules that are applied although no table of the course names them."""


def apply(
    score: Score,
    policy: Policy,
    adjustments: Sequence[Adjustment] = (),
    due: Due | None = None,
    kept: Sequence[KeptScore] = (),
) -> Score:
    """Return the score as the rules leave it: what the checks gave plus all differences.

    Args:
        score: what the checks gave.
        policy: the assignment's rules.
        adjustments: what instructors changed by hand, for anybody.
        due: when it was due for this student.
        kept: what anybody has at least, after a regrading in which only gains count.
    """
    if due is not None:
        score = msgspec.structs.replace(score, due=due.at)
    if not score.state.has_points:
        return score
    sum_ = _Sum(score.earned)
    if policy.bonus == "cap":
        reason = "bonus points count up to the maximum"
        sum_.change("bonus", min(sum_.earned, score.possible), reason)
    if policy.late and due and score.submitted_at:
        _pay(sum_, score, policy.late, due)
    if policy.round_to:
        reason = f"rounded to a multiple of {policy.round_to:g}"
        sum_.change("rounding", round_score(sum_.earned, policy.round_to), reason)
    _keep(sum_, score, kept)
    _adjust(sum_, score, adjustments)
    return msgspec.structs.replace(score, earned=sum_.earned, applied=tuple(sum_.applied))


def adjust_again(
    score: Score, adjustments: Sequence[Adjustment], kept: Sequence[KeptScore] = ()
) -> Score:
    """Return a score that has its rules with the adjustments, and what is kept, of now."""
    if not score.state.has_points:
        return score
    others = [one for one in score.applied if one.rule != ADJUSTMENT]
    sum_ = _Sum(without_adjustments(score), others)
    _keep(sum_, score, kept)
    _adjust(sum_, score, adjustments)
    return msgspec.structs.replace(score, earned=sum_.earned, applied=tuple(sum_.applied))


def without_adjustments(score: Score) -> float:
    """Return what a score is before anybody changed it by hand."""
    by_hand = [one.difference for one in score.applied if one.rule == ADJUSTMENT]
    return total([score.earned, *(-one for one in by_hand)])


class _Sum:
    """What counts so far, and what has changed it."""

    def __init__(self, earned: float, applied: Iterable[AppliedRule] = ()) -> None:
        self.earned = earned
        self.applied = list(applied)

    def change(
        self, rule: str, wanted: float, reason: str, question: str = "", check: str = ""
    ) -> None:
        """Change the sum, not below zero. What a person has decided is listed in any case."""
        after = total([max(0.0, wanted)])
        difference = total([after, -self.earned])
        if difference or rule in (ADJUSTMENT, EXTENSION):
            self.applied.append(AppliedRule(rule, difference, reason, question, check))
        self.earned = after


def _keep(sum_: _Sum, score: Score, kept: Iterable[KeptScore]) -> None:
    """Give back what a regrading has taken: to this file, not to one that was handed in later."""
    mine = (score.student, score.assignment, score.digest)
    found = [one for one in kept if (one.student, one.assignment, one.digest) == mine]
    if not found:
        return
    best = max(found, key=lambda one: one.earned)
    wanted = total([best.earned, *(one.earned for one in score.marks if one.earned is not None)])
    if wanted > sum_.earned:
        sum_.change(REGRADE, wanted, best.reason)


def _adjust(sum_: _Sum, score: Score, adjustments: Iterable[Adjustment]) -> None:
    rooms = Rooms(score)
    for one in adjustments:
        if (one.student, one.assignment) == (score.student, score.assignment) and one in rooms:
            wanted = sum_.earned + rooms.take(one)
            sum_.change(ADJUSTMENT, wanted, one.because, one.question, one.check)


class Rooms:
    """How much a check or question of a score can be given or taken by hand.

    Never more than it is worth, nor more than is there: so what was given by hand for a wrong check
    is not given twice when the check is repaired.
    """

    def __init__(self, score: Score) -> None:
        self._outcomes = {one.check: one for one in score.outcomes}
        self._question_of = {one.check: one.question for one in score.outcomes}
        self._marks = {one.question: one for one in score.marks if one.earned is not None}
        self._questions = set(score.questions) | set(self._question_of.values())
        self._given: list[tuple[str, str, float]] = []

    def __contains__(self, one: Adjustment) -> bool:
        """Whether what it is for is there; a whole assignment always is."""
        if one.check:
            return one.check in self._outcomes
        return not one.question or one.question in self._questions

    def take(self, one: Adjustment) -> float:
        """Return the points of an adjustment as far as there is room, which is smaller then."""
        if not one.check and not one.question:
            return one.points
        question = self._question_of[one.check] if one.check else one.question
        lowest, highest = self._question(question)
        if one.check:
            low, high = self._check(one.check)
            lowest, highest = max(lowest, low), min(highest, high)
        points = min(max(one.points, min(lowest, 0.0)), max(highest, 0.0))
        self._given.append((question, one.check, points))
        return points

    def _question(self, question: str) -> tuple[float, float]:
        inside = [one for one in self._outcomes.values() if one.question == question]
        given = (points for name, _, points in self._given if name == question)
        have = total([*(one.earned for one in inside), *given])
        possible = total(one.possible for one in inside)
        if question in self._marks:
            marked = self._marks[question]
            have, possible = total([have, marked.earned or 0.0]), marked.possible
        return -have, total([possible, -have])

    def _check(self, check: str) -> tuple[float, float]:
        outcome = self._outcomes[check]
        have = total(
            [outcome.earned, *(points for _, name, points in self._given if name == check)]
        )
        return -have, total([outcome.possible, -have])


def _pay(sum_: _Sum, score: Score, late: Late, due: Due) -> None:
    """Take off what coming late costs. An extension is listed where it makes a difference."""
    submitted = score.submitted_at
    assert submitted is not None  # `apply` has looked
    cost, reason = penalty(sum_.earned, score.possible, submitted, due.at, late)
    if due.regular is not None:
        usual, _ = penalty(sum_.earned, score.possible, submitted, due.regular, late)
        if usual != cost:
            sum_.change(EXTENSION, sum_.earned, extended(due))
    sum_.change("late", sum_.earned - cost, reason)


def round_score(value: float, step: float) -> float:
    """Round to the nearest multiple of a step; exactly half way goes up, as students expect."""
    return total([math.floor(value / step + 0.5 + 1e-9) * step])


def without_effect(
    adjustments: Iterable[Adjustment], scores: Iterable[Score], named: Callable[[str], bool]
) -> tuple[Problem, ...]:
    """Report adjustments that changed nothing, of assignments that are `named` in this run."""
    graded = {(s.student, s.assignment): Rooms(s) for s in scores if s.state.has_points}
    found = []
    for one in adjustments:
        rooms = graded.get((one.student, one.assignment))
        if named(one.assignment) and (rooms is None or one not in rooms):
            what = "score" if rooms is None else f"`{one.check or one.question}`"
            found.append(
                Problem(
                    kind=ProblemKind.ADJUSTMENT,
                    message=f"an adjustment of {one.points:+g} has no {what} to change",
                    where=one.because,
                    hint="it applies as soon as there is one",
                    student=one.student,
                    assignment=one.assignment,
                )
            )
    return tuple(found)


def without_time(
    graded: Iterable[Submission],
    policy_of: Callable[[str], Policy],
    due_for: Callable[[str, str], Due | None],
) -> tuple[Problem, ...]:
    """Report, once for each student, whose work may be late without anybody knowing."""
    unknown: dict[str, list[Submission]] = {}
    for one in graded:
        matters = policy_of(one.assignment).late and due_for(one.student, one.assignment)
        if matters and one.submitted_at is None:
            unknown.setdefault(one.student, []).append(one)
    return tuple(
        Problem(
            kind=ProblemKind.NO_TIME,
            message=_unknown(work),
            where=", ".join(sorted({one.assignment for one in work})),
            hint="`--submitted-at FILE.csv` tells the times",
            student=student,
        )
        for student, work in sorted(unknown.items())
    )


def _unknown(work: Sequence[Submission]) -> str:
    if any(one.late for one in work):
        return "marked as late, but nobody knows how late: no late penalty"
    return "nobody knows when this was handed in: no late penalty"


def course_total(student: str, scores: Sequence[Score], drop_lowest: int = 0) -> Total:
    """Add up a student's scores without the lowest, in per cent of what was possible.

    What is missing counts as nothing earned, and can be dropped; the last one can't.
    """
    worth = [score for score in scores if score.possible > 0]
    count = max(0, min(drop_lowest, len(worth) - 1))
    lowest = sorted(worth, key=lambda s: (s.earned / s.possible, -s.possible, s.assignment))[:count]
    dropped = {score.assignment for score in lowest}
    kept = [score for score in scores if score.assignment not in dropped]
    return Total(
        student=student,
        earned=total(score.earned for score in kept),
        possible=total(score.possible for score in kept),
        dropped=tuple(score.assignment for score in scores if score.assignment in dropped),
        known=all(score.state not in (State.UNGRADED, State.UNMARKED) for score in scores),
    )
