"""What a class's scores say about its assignments and its people: pure functions.

Item analysis as in classical test theory: *difficulty* is the mean share of a check's or question's
points that was earned (1: everybody has it), *discrimination* the correlation of that share with
the points earned on the rest of the assignment (negative: the strong lose it and the weak have it,
so something is wrong with the check). Only graded scores count, and of what is unmarked the points
that are there already.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from grader.gradebook import AssignmentReport, Gradebook, QuestionReport, Score, State
from grader.model import EndingKind, Problem, ProblemKind, Status, Value, total
from grader.reports.failing import Way, in_words, ways_to_fail
from grader.scoring.points import percent

BINS = 10
ENOUGH = 5  # a correlation of fewer scores says nothing
HIDDEN_LOSS = 0.25  # of the hidden points, when every public check passes


class Failure(Value, frozen=True):
    """How a check is failed most often: `count` times of `among` failures."""

    status: Status
    message: str
    count: int
    among: int


class Item(Value, frozen=True):
    """A check or question: how hard it is, and whether it tells strong from weak.

    `histogram` is of a question: how many have which tenth of its points.
    """

    id: str
    difficulty: float | None
    discrimination: float | None
    failure: Failure | None = None
    histogram: tuple[int, ...] = ()


class Analysis(Value, frozen=True):
    """One assignment: percentages of the graded, how many are in each tenth, and its items.

    Who has more than 100 % is counted in the last tenth.
    """

    assignment: str
    graded: int
    ungraded: int
    missing: int
    mean: float | None
    median: float | None
    spread: float | None
    lowest: float | None
    highest: float | None
    histogram: tuple[int, ...]
    questions: tuple[Item, ...]
    checks: tuple[Item, ...]
    unmarked: int = 0


class Concern(Value, frozen=True):
    """Why a person should look at a student. `assignment` is empty when it is not about one."""

    kind: str
    student: str
    assignment: str
    reason: str


OF_TIME = frozenset({ProblemKind.LATE, ProblemKind.NO_TIME, ProblemKind.EXTENSION})
"""Kinds of problems that are about when something was handed in."""

CONCERNS = {
    "ungraded": "Not graded: neither zero nor full marks",
    "stopped": "Stopped: crashed, or used more than a submission may",
    "handout": "The course's own text, handed in as an answer",
    "hidden": "Passes every public check, and loses much on the hidden ones",
    "problem": "Something about the files",
    "time": "Late, or of when nobody knows",
    "missing": "Nothing handed in",
}
"""Kinds of concern in the order of their urgency, as headings."""


def analyse(gradebook: Gradebook) -> tuple[Analysis, ...]:
    """Analyse each assignment of a gradebook, in its order."""
    return tuple(
        _analysis(assignment, [s for s in gradebook.scores if s.assignment == assignment.id])
        for assignment in gradebook.assignments
    )


def concerns(gradebook: Gradebook) -> tuple[Concern, ...]:
    """Whom a person should look at, the most urgent kind first, then in the gradebook's order."""
    hidden = {
        assignment.id: frozenset(
            check.id for question in assignment.questions for check in question.checks
            if not check.public
        )
        for assignment in gradebook.assignments
    }  # fmt: skip
    found = [c for score in gradebook.scores for c in _concerns(score, hidden)]
    found += [
        Concern(
            kind=_kind_of(problem),
            student=problem.student or "",
            assignment=problem.assignment or "",
            reason=problem.message + (f": {problem.where}" if problem.where else ""),
        )
        for problem in gradebook.problems
    ]
    order = list(CONCERNS)
    return tuple(sorted(found, key=lambda concern: order.index(concern.kind)))


def _kind_of(problem: Problem) -> str:
    if problem.kind is ProblemKind.HANDOUT:
        return "handout"
    return "time" if problem.kind in OF_TIME else "problem"


def _concerns(score: Score, hidden: dict[str, frozenset[str]]) -> Iterable[Concern]:
    def concern(kind: str, reason: str) -> Concern:
        return Concern(kind=kind, student=score.student, assignment=score.assignment, reason=reason)

    if score.state is State.MISSING:
        yield concern("missing", "")
    elif score.state is State.UNGRADED:
        yield concern("ungraded", score.ending.message or score.ending.kind.value)
    elif score.ending.kind is not EndingKind.COMPLETED:
        yield concern("stopped", score.ending.message or score.ending.kind.value)
    else:
        lost = _hidden_loss(score, hidden.get(score.assignment, frozenset()))
        if lost is not None and lost >= HIDDEN_LOSS:
            yield concern("hidden", f"{lost:.0%} of the hidden points are lost")


def _hidden_loss(score: Score, hidden: frozenset[str]) -> float | None:
    """The share of hidden points that is lost; None when a public check fails or none exists."""
    public = [o.status is Status.PASSED for o in score.outcomes if o.check not in hidden]
    unseen = [o for o in score.outcomes if o.check in hidden]
    possible = total(outcome.possible for outcome in unseen)
    if not public or not all(public) or possible <= 0:
        return None
    return 1 - total(outcome.earned for outcome in unseen) / possible


def _analysis(assignment: AssignmentReport, scores: Sequence[Score]) -> Analysis:
    graded = [score for score in scores if score.state is State.GRADED]
    counted = [score for score in scores if score.state.has_points]
    percents = [percent(score) for score in graded]
    states = Counter(score.state for score in scores)
    return Analysis(
        assignment=assignment.id,
        graded=len(graded),
        ungraded=states[State.UNGRADED],
        missing=states[State.MISSING],
        mean=statistics.fmean(percents) if percents else None,
        median=statistics.median(percents) if percents else None,
        spread=statistics.stdev(percents) if len(percents) > 1 else None,
        lowest=min(percents, default=None),
        highest=max(percents, default=None),
        histogram=_histogram(percents),
        questions=tuple(_question(question, counted) for question in assignment.questions),
        checks=_checks(assignment, counted),
        unmarked=states[State.UNMARKED],
    )


def _histogram(percents: Iterable[float]) -> tuple[int, ...]:
    bins = Counter(min(int(value * BINS // 100), BINS - 1) for value in percents)
    return tuple(bins[number] for number in range(BINS))


def _question(question: QuestionReport, graded: Sequence[Score]) -> Item:
    if question.manual:
        graded = [score for score in graded if question.id in score.questions]
    earned = [score.questions.get(question.id, 0.0) for score in graded]
    possible = question.points if question.manual else total(c.points for c in question.checks)
    rest = [score.earned - part for score, part in zip(graded, earned, strict=True)]
    return Item(
        id=question.id,
        difficulty=sum(earned) / len(earned) / possible if earned and possible else None,
        discrimination=correlation(earned, rest),
        histogram=_histogram(100 * part / possible for part in earned) if possible else (),
    )


def _checks(assignment: AssignmentReport, graded: Sequence[Score]) -> tuple[Item, ...]:
    passed: dict[str, list[float]] = {}
    rest: dict[str, list[float]] = {}
    ways = ways_to_fail(graded)
    for score in graded:
        for outcome in score.outcomes:
            right = outcome.status is Status.PASSED
            passed.setdefault(outcome.check, []).append(float(right))
            rest.setdefault(outcome.check, []).append(score.earned - outcome.earned)
    return tuple(
        Item(
            id=check.id,
            difficulty=statistics.fmean(passed[check.id]) if passed.get(check.id) else None,
            discrimination=correlation(passed.get(check.id, []), rest.get(check.id, [])),
            failure=_most_common(ways.get(check.id, ())),
        )
        for question in assignment.questions
        for check in question.checks
    )


def _most_common(ways: Sequence[Way]) -> Failure | None:
    if not ways:
        return None
    first, among = ways[0], sum(len(way.students) for way in ways)
    return Failure(
        status=first.status, message=in_words(first), count=len(first.students), among=among
    )


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's correlation; None for too few values or where one does not vary."""
    n = len(first)
    if n < ENOUGH:
        return None
    mean_first, mean_second = sum(first) / n, sum(second) / n
    along = across = both = 0.0
    for x, y in zip(first, second, strict=True):
        dx, dy = x - mean_first, y - mean_second
        along += dx * dx
        across += dy * dy
        both += dx * dy
    if along < 1e-9 or across < 1e-9:
        return None
    return max(-1.0, min(1.0, both / math.sqrt(along * across)))
