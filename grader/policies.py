"""Rules that change a score after the checks: pure functions, each change listed beside its score.

In this order: bonus points above the maximum are cut (`bonus = "cap"`), the sum is rounded to a
multiple (`round_to`), and an instructor's adjustments come last, so that nothing changes them. A
score never falls below zero. What is not graded has no score that a rule could change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from grader.model import Adjustment, AppliedRule, Policy, Problem, Score, State, total

ADJUSTMENT = "adjustment"


def apply(score: Score, policy: Policy, adjustments: Sequence[Adjustment] = ()) -> Score:
    """Return the score as the rules leave it: what the checks gave plus all differences."""
    if score.state is not State.GRADED:
        return score
    earned = score.earned
    applied: list[AppliedRule] = []

    def change(rule: str, wanted: float, reason: str) -> None:
        nonlocal earned
        after = total([max(0.0, wanted)])
        difference = total([after, -earned])
        if difference or rule == ADJUSTMENT:
            applied.append(AppliedRule(rule=rule, difference=difference, reason=reason))
        earned = after

    if policy.bonus == "cap":
        change("bonus", min(earned, score.possible), "bonus points count up to the maximum")
    if policy.round_to:
        step = f"{policy.round_to:g}"
        change("rounding", rounded(earned, policy.round_to), f"rounded to a multiple of {step}")
    for one in adjustments:
        if (one.student, one.assignment) == (score.student, score.assignment):
            change(ADJUSTMENT, earned + one.points, one.because)
    return msgspec.structs.replace(score, earned=earned, applied=tuple(applied))


def rounded(value: float, step: float) -> float:
    """Round to the nearest multiple of a step; exactly half way goes up, as students expect."""
    return total([math.floor(value / step + 0.5 + 1e-9) * step])


def without_effect(
    adjustments: Iterable[Adjustment], scores: Iterable[Score], named: Callable[[str], bool]
) -> tuple[Problem, ...]:
    """Report adjustments that changed nothing, of assignments that are `named` in this run."""
    graded = {(s.student, s.assignment) for s in scores if s.state is State.GRADED}
    return tuple(
        Problem(
            kind=ADJUSTMENT,
            message=f"an adjustment of {one.points:+g} has no score to change",
            where=one.because,
            hint="it applies as soon as there is one",
            student=one.student,
            assignment=one.assignment,
        )
        for one in adjustments
        if named(one.assignment) and (one.student, one.assignment) not in graded
    )
