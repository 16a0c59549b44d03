"""Rules that change a score: what always holds, and each rule by itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Adjustment, Ending, Policy, Score, State, total
from grader.policies import apply, rounded, without_effect


def scored(earned: float, state: State = State.GRADED, possible: float = 10) -> Score:
    return Score(
        student="ann", assignment="blocks", state=state, earned=earned, possible=possible,
        ending=Ending(),
    )  # fmt: skip


def by_hand(points: float, student: str = "ann", assignment: str = "blocks") -> Adjustment:
    return Adjustment(student=student, assignment=assignment, points=points, because="fair")


POINTS = st.integers(0, 60).map(lambda quarter: quarter / 4)
POLICIES = st.builds(
    Policy,
    bonus=st.sampled_from(["count", "cap"]),
    round_to=st.sampled_from([0, 0.1, 0.25, 0.5, 1, 3]),
)
BY_HAND = st.lists(st.integers(-40, 40).map(lambda quarter: by_hand(quarter / 4)), max_size=4)


@given(POINTS, POLICIES, BY_HAND)
def test_the_listed_differences_explain_the_whole_change(earned, policy, adjustments):
    after = apply(scored(earned), policy, adjustments)
    differences = [one.difference for one in after.applied]
    assert after.earned == pytest.approx(earned + total(differences), abs=1e-6)
    assert after.earned >= 0


@given(POINTS, POLICIES)
def test_a_policy_changes_no_order_and_a_second_time_nothing(earned, policy):
    once = apply(scored(earned), policy)
    more = apply(scored(earned + 0.25), policy)
    assert once.earned <= more.earned
    assert apply(scored(once.earned), policy).applied == ()


@given(POINTS, POLICIES, BY_HAND)
def test_what_is_not_graded_has_nothing_to_change(earned, policy, adjustments):
    for state in (State.UNGRADED, State.MISSING):
        score = scored(earned, state)
        assert apply(score, policy, adjustments) == score


@given(POINTS, st.sampled_from([0.1, 0.25, 0.5, 1, 3]))
def test_rounding_goes_to_the_nearest_multiple(value, step):
    found = rounded(value, step)
    assert abs(found - value) <= step / 2 + 1e-6
    assert math.isclose(found / step, round(found / step), abs_tol=1e-6)


@pytest.mark.parametrize(("value", "step", "expected"), [(0.5, 1, 1), (1.5, 1, 2), (2.5, 1, 3), (0.15, 0.1, 0.2), (7.25, 0.5, 7.5)])  # fmt: skip
def test_half_way_goes_up(value, step, expected):
    assert rounded(value, step) == expected


def test_bonus_points_are_cut_before_an_instructor_adds_some():
    after = apply(scored(12), Policy(bonus="cap"), [by_hand(1)])
    assert (after.earned, [one.rule for one in after.applied]) == (11, ["bonus", "adjustment"])


def test_nobody_falls_below_zero_and_the_list_says_what_was_taken():
    after = apply(scored(2), Policy(), [by_hand(-5)])
    assert (after.earned, after.applied[0].difference) == (0, -2)


def test_an_adjustment_is_for_one_student_and_assignment():
    others = [by_hand(1, student="bo"), by_hand(1, assignment="embeddings")]
    assert apply(scored(2), Policy(), others) == scored(2)


def test_an_adjustment_without_a_score_is_reported():
    adjustments = [by_hand(1), by_hand(2, student="bo"), by_hand(3, assignment="other")]
    found = without_effect(adjustments, [scored(2)], {"blocks"}.__contains__)
    assert [(one.student, one.assignment) for one in found] == [("bo", "blocks")]
