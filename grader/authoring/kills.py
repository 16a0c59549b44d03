"""What a wrong answer loses, and by which checks."""

from __future__ import annotations

from grader.gradebook import Score
from grader.model import Status


def killing_checks(result: Score) -> tuple[str, ...]:
    """The checks that it fails, without those that were left out because another one failed."""
    return tuple(
        outcome.check
        for outcome in result.outcomes
        if outcome.status not in (Status.PASSED, Status.SKIPPED)
    )


def killing_questions(result: Score) -> tuple[str, ...]:
    """The questions of the checks that it fails."""
    failing = killing_checks(result)
    return tuple(dict.fromkeys(o.question for o in result.outcomes if o.check in failing))


def lost_questions(result: Score) -> tuple[str, ...]:
    """The questions of which it does not get all points."""
    lost = (o.question for o in result.outcomes if o.earned < o.possible - 1e-9)
    return tuple(dict.fromkeys(lost))
