"""How a class fails a check: the same exception, or the same wrong value, is one way to fail it.

Pure functions of a gradebook's values. What is left out of a comparison of two failures is what
differs between notebooks that make the same mistake: places, numbers, addresses, names in quotes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from grader.gradebook import Score, ScoredOutcome, State
from grader.model import Status, Value
from grader.reports.case import without_values

COMPARED = 400
"""Characters of a failure that are looked at: a message may hold all that a submission returned."""

_VARYING = re.compile(
    r"""
    0x[0-9a-f]+                                             # an address
    | '[^'\n]{0,80}' | "[^"\n]{0,80}"                       # a name
    | (?<![^\W_])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![^\W_])  # a number
    """,
    re.X | re.I,
)

_SEVERAL = re.compile(r"…(?:, …)+")


class Way(Value, frozen=True):
    """Students who fail a check in one way.

    Where they differ, `said` has an ellipsis in the place of what does, and `expected` or `actual`
    is empty; `various` says that several values came.
    """

    status: Status
    said: str
    expected: str
    actual: str
    various: bool
    students: tuple[str, ...]


def ways_to_fail(scores: Iterable[Score]) -> dict[str, tuple[Way, ...]]:
    """Return how each check is failed, by its id, the most common way first.

    Args:
        scores: of one assignment; who is not graded has failed nothing.
    """
    found: dict[str, dict[tuple[Status, str], list[tuple[str, ScoredOutcome]]]] = {}
    for score in scores:
        if score.state is State.GRADED:
            for outcome in score.outcomes:
                if outcome.status is not Status.PASSED:
                    alike = found.setdefault(outcome.check, {})
                    key = outcome.status, _shape(_said(outcome))
                    alike.setdefault(key, []).append((score.student, outcome))
    return {
        check: tuple(
            sorted(
                (way for (_, shape), failed in alike.items() for way in _by_value(shape, failed)),
                key=_rank,
            )
        )
        for check, alike in found.items()
    }


def _rank(way: Way) -> tuple[object, ...]:
    """Of equally many the first in order, not the first that came: two runs must agree."""
    told = way.status.value, way.said, way.expected, way.actual, way.various
    return -len(way.students), *told, min(way.students)


def in_words(way: Way) -> str:
    """`the sum: not as expected; expected 2, got 1`: what students of one way have in common."""
    told = [f"expected {way.expected}"] if way.expected else []
    if way.actual:
        told.append(f"got {way.actual}")
    elif way.various:
        told.append("got various values")
    return "; ".join(filter(None, (way.said, ", ".join(told))))


def _said(outcome: ScoredOutcome) -> str:
    """What a check said on one line: without where in the notebook, and without the two values."""
    # of an exception a student may not be told everything; of what failed, the message is clearer
    detailed = outcome.status is Status.ERROR and outcome.detail
    told = detailed or outcome.message or outcome.detail
    said = without_values(told, outcome.expected, outcome.actual)
    return said.partition("\n")[0].partition(" (code cell ")[0][:COMPARED].strip(" :")


@lru_cache(maxsize=4096)  # most of a class fails as others do
def _shape(said: str) -> str:
    return _SEVERAL.sub("…", _VARYING.sub("…", said))


def _by_value(shape: str, failed: Sequence[tuple[str, ScoredOutcome]]) -> Iterable[Way]:
    """Who has the same wrong value as somebody else, and everybody whose value is their own."""
    values = Counter((outcome.expected, outcome.actual) for _, outcome in failed)
    groups: dict[tuple[str, str] | None, list[tuple[str, ScoredOutcome]]] = {}
    for student, outcome in failed:
        value = outcome.expected, outcome.actual
        key = value if values[value] > 1 or len(values) == 1 else None
        groups.setdefault(key, []).append((student, outcome))
    for group in groups.values():
        outcomes = [outcome for _, outcome in group]
        said = {_said(outcome) for outcome in outcomes}
        expected = {outcome.expected for outcome in outcomes}
        actual = {outcome.actual for outcome in outcomes}
        yield Way(
            status=outcomes[0].status,
            said=said.pop() if len(said) == 1 else shape,
            expected=expected.pop() if len(expected) == 1 else "",
            various=len(actual) > 1,
            actual=actual.pop() if len(actual) == 1 else "",
            students=tuple(student for student, _ in group),
        )
