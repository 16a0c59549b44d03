"""Adjustments by hand put into a gradebook that is there: nothing is graded for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from grader.config.policy import Adjustment
from grader.gradebook import Gradebook
from grader.model import ProblemKind
from grader.scoring.points import arrange
from grader.scoring.policies import adjust_again, without_effect


def readjust(gradebook: Gradebook, adjustments: Sequence[Adjustment]) -> Gradebook:
    """Return a gradebook as the next run would write it, if nothing but adjustments has changed."""
    names = [assignment.id for assignment in gradebook.assignments]
    scores = tuple(adjust_again(score, adjustments) for score in gradebook.scores)
    others = [one for one in gradebook.problems if one.kind is not ProblemKind.ADJUSTMENT]
    problems = (*others, *without_effect(adjustments, scores, set(names).__contains__))
    # nobody's total leaves out more, and whoever's leaves out less had no more scores to leave out
    lowest = max((len(one.dropped) for one in gradebook.totals), default=0)
    changed = msgspec.structs.replace(gradebook, scores=scores, problems=problems)
    return arrange(changed, names, lowest)
