"""The limit of a check shrinks step by step, to a floor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.judging.patience import limit_after, loop_s
from grader.model import Limits

seconds = st.floats(0.1, 100)


@given(st.integers(0, 1_000), seconds, seconds)
def test_a_limit_only_shrinks_and_not_below_the_floor(
    late: int, full_s: float, floor_s: float
) -> None:
    now, then = (limit_after(n, full_s, floor_s) for n in (late, late + 1))
    assert min(full_s, floor_s) <= then <= now <= full_s
    assert limit_after(0, full_s, floor_s) == full_s


def test_an_endless_answer_costs_little_with_the_usual_limits() -> None:
    assert loop_s(Limits(), 20) <= 45


@pytest.mark.parametrize("checks", [1, 20, 10_000])
def test_it_never_costs_more_than_a_submission_may(checks: int) -> None:
    assert loop_s(Limits(wall_s=30), checks) <= 30
