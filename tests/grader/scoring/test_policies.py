"""Rules that change a score: what always holds, and each rule by itself."""

from __future__ import annotations

import math
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config.policy import Adjustment, Amount, Due, Late, Policy
from grader.gradebook import KeptScore, Score, State
from grader.model import Ending, Submission, total
from grader.scoring.policies import (
    adjust_again,
    apply,
    course_total,
    round_score,
    without_adjustments,
    without_effect,
    without_time,
)
from grader.times import parse_time


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
    found = round_score(value, step)
    assert abs(found - value) <= step / 2 + 1e-6
    assert math.isclose(found / step, round(found / step), abs_tol=1e-6)


@pytest.mark.parametrize(("value", "step", "expected"), [(0.5, 1, 1), (1.5, 1, 2), (2.5, 1, 3), (0.15, 0.1, 0.2), (7.25, 0.5, 7.5)])  # fmt: skip
def test_half_way_goes_up(value, step, expected):
    assert round_score(value, step) == expected


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


MOMENT = parse_time("2026-03-03 10:00Z")
LATE = Policy(late=Late(penalty=Amount(number=10, percent=True)))
DUE = Due(at=parse_time("2026-03-01 12:00Z"))
DUES = st.integers(-100, 100).map(lambda hours: Due(at=MOMENT + timedelta(hours=hours)))


def dated(earned: float) -> Score:
    return msgspec.structs.replace(scored(earned), submitted_at=MOMENT)


@given(POINTS, POLICIES, DUES)
def test_coming_late_never_raises_a_score_and_is_listed(earned, policy, due):
    late = msgspec.structs.replace(policy, late=LATE.late)
    without, having = apply(dated(earned), policy), apply(dated(earned), late, due=due)
    assert 0 <= having.earned <= without.earned
    listed = total(one.difference for one in having.applied)
    assert having.earned == pytest.approx(earned + listed, abs=1e-6)


@given(POINTS, POLICIES, DUES, st.integers(0, 200))
def test_an_extension_never_lowers_a_score(earned, policy, due, hours):
    late = msgspec.structs.replace(policy, late=LATE.late)
    longer = Due(at=due.at + timedelta(hours=hours), regular=due.at)
    assert (
        apply(dated(earned), late, due=due).earned <= apply(dated(earned), late, due=longer).earned
    )


def test_being_late_is_paid_for_before_rounding_and_after_the_bonus():
    policy = msgspec.structs.replace(LATE, bonus="cap", round_to=0.5)
    after = apply(dated(12.3), policy, [by_hand(1)], DUE)
    assert [one.rule for one in after.applied] == ["bonus", "late", "adjustment"]
    assert (after.earned, after.due) == (9, parse_time("2026-03-01T12:00:00+00:00"))


def test_an_extension_is_listed_where_it_makes_a_difference():
    longer = Due(at=DUE.at + timedelta(days=1), regular=DUE.at)
    after = apply(dated(8), LATE, due=longer)
    assert [(one.rule, one.difference) for one in after.applied] == [("extension", 0), ("late", -1)]
    assert after.applied[0].reason == "due 2026-03-02 12:00 UTC instead of 2026-03-01 12:00 UTC"
    early = msgspec.structs.replace(dated(8), submitted_at=parse_time("2026-03-01T10:00:00Z"))
    assert apply(early, LATE, due=longer).applied == ()


def test_nobody_pays_for_a_time_that_nobody_knows_and_it_is_said_once_for_each_student():
    assert apply(scored(8), LATE, due=DUE).applied == ()

    def work(student: str, assignment: str, at: str | None = None, late: bool = False):
        return Submission(
            student=student, assignment=assignment, path="", name="", digest="", late=late,
            submitted_at=parse_time(at) if at else None,
        )  # fmt: skip

    found = without_time(
        [work("ann", "a"), work("ann", "b"), work("bo", "a", "2026-03-01T10:00:00Z"),
         work("cy", "a", late=True), work("ann", "never due")],
        lambda _: LATE,
        lambda _, assignment: None if assignment == "never due" else DUE,
    )  # fmt: skip
    assert [(one.student, one.where) for one in found] == [("ann", "a, b"), ("cy", "a")]
    assert "nobody knows when" in found[0].message
    assert "nobody knows how late" in found[1].message
    assert without_time([work("ann", "a")], lambda _: Policy(), lambda *_: DUE) == ()


def test_submissions_without_a_late_rule_need_no_time():
    assert apply(scored(8), Policy(), due=DUE).earned == 8


def row(assignment: str, earned: float, state: State = State.GRADED, possible: float = 10) -> Score:
    return msgspec.structs.replace(scored(earned, state, possible), assignment=assignment)


ROWS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=6).map(
    lambda found: [row(f"a{n}", e, possible=p) for n, (e, p) in enumerate(found)]
)


@given(ROWS, st.integers(0, 8))
def test_dropping_the_lowest_never_lowers_the_share_and_leaves_one(rows, count):
    before, after = course_total("ann", rows), course_total("ann", rows, count)
    assert after.earned / after.possible >= before.earned / before.possible - 1e-9
    assert len(after.dropped) == min(count, len(rows) - 1)


@given(ROWS, st.integers(0, 8), st.randoms())
def test_the_order_of_assignments_changes_no_total(rows, count, chance):
    mixed = chance.sample(rows, len(rows))
    first, second = course_total("ann", rows, count), course_total("ann", mixed, count)
    assert (first.earned, first.possible) == (second.earned, second.possible)
    assert set(first.dropped) == set(second.dropped)


def test_what_is_missing_can_be_dropped_and_what_is_ungraded_leaves_the_total_open():
    rows = [row("a", 8), row("b", 0, State.MISSING), row("c", 0, State.UNGRADED)]
    found = course_total("ann", rows, 1)
    assert (found.earned, found.possible, found.dropped, found.known) == (8, 20, ("b",), False)


KEPT = st.lists(
    st.builds(
        KeptScore,
        student=st.sampled_from(["ann", "bo"]),
        assignment=st.sampled_from(["blocks", "other"]),
        digest=st.sampled_from(["", "another"]),
        earned=POINTS,
        reason=st.sampled_from(["why", "other"]),
    ),
    max_size=4,
)


@given(POINTS, POLICIES, BY_HAND, KEPT)
def test_what_is_kept_is_the_least_of_this_file_before_adjustments(earned, policy, lines, kept):
    mine = [
        one for one in kept if (one.student, one.assignment, one.digest) == ("ann", "blocks", "")
    ]
    without = apply(scored(earned), policy).earned
    found = apply(scored(earned), policy, lines, kept=kept)
    assert without_adjustments(found) == max([without, *(one.earned for one in mine)])
    again = adjust_again(apply(scored(earned), policy), lines, kept)
    assert again == found
