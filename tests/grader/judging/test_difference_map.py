"""Where arrays differ is seen at a glance, and costs a gradebook no more than a few lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.judging.difference_map import MOST_COLUMNS, MOST_ROWS, difference_map
from grader.judging.evidence import with_evidence
from grader.judging.transcript import Transcript
from grader.model import DifferenceMap, Outcome, Status
from grader.testing import CheckFailed, assert_close, assert_equal


def map_of(compare: Callable[..., None], actual: Any, expected: Any) -> DifferenceMap | None:
    """What is recorded of a comparison that fails."""
    with pytest.raises(CheckFailed) as caught:
        compare(actual, expected)
    before = Outcome(check="c", status=Status.FAILED)
    return with_evidence(before, caught.value, Transcript(), None).differs


def test_the_matrix_with_the_first_difference_is_shown() -> None:
    expected = torch.zeros(2, 3, 4, 5)
    actual = expected.clone()
    actual[1, 2, 1, 3] = 1.0
    actual[1, 2, 3, 0] = -4.0
    found = map_of(assert_close, actual, expected.requires_grad_())
    assert found == DifferenceMap(
        shape=(2, 3, 4, 5), first=(1, 2, 1, 3), block=(1, 1),
        rows=("00000", "00010", "00000", "40000"), largest=4.0,
    )  # fmt: skip


def test_a_large_matrix_is_seen_from_afar() -> None:
    expected = numpy.zeros((100, 1000))
    actual = expected.copy()
    actual[99, 999] = 1
    found = map_of(assert_equal, actual, expected)
    assert found is not None
    assert found.block == (7, 32)
    assert {len(row) for row in found.rows} == {32}
    assert [row for row in found.rows if row.strip("0")] == ["0" * 31 + "4"] == [found.rows[-1]]


def test_a_vector_is_one_row() -> None:
    found = map_of(assert_equal, torch.tensor([1, 2, 3]), torch.tensor([1, 2, 5]))
    assert found is not None
    assert (found.shape, found.rows, found.largest) == ((3,), ("004",), 2)


@pytest.mark.parametrize(
    ("actual", "expected", "rows"),
    [
        ([1, 2, 3], [1, 2, 4], ("004",)),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 9.0]], ("00", "04")),
        ((1.0, math.nan), (1.0, 2.0), ("05",)),
        (numpy.array(["a", "b"]), numpy.array(["a", "c"]), ("05",)),
        (torch.tensor([1.0, math.inf]), torch.tensor([1.0, 2.0]), ("05",)),
        (torch.zeros(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16), ("44",)),
        (torch.tensor([1j, 2j]), torch.tensor([1j, 4j]), ("04",)),
    ],
)
def test_what_is_compared_may_be_of_many_kinds(actual: Any, expected: Any, rows: Any) -> None:
    found = map_of(assert_close, actual, expected)
    assert found is not None
    assert found.rows == rows


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 2), ("a", "b"), ([1], [2]), ([1, 2], [1, 2, 3]), ([1, "a"], [2, "a"]), ([[1], [2, 3]], [[1], [2, 4]]),
        (torch.zeros(2), torch.zeros(3)), ([], [1]), ([10**400, 1], [1, 1]), ({"a": 1}, {"a": 2}),
    ],
)  # fmt: skip
def test_what_is_no_matrix_has_no_map(actual: Any, expected: Any) -> None:
    assert map_of(assert_equal, actual, expected) is None


SIZES = st.lists(st.sampled_from([1, 2, 3, 17, 70]), min_size=1, max_size=3)
VALUES = st.sampled_from([0.0, 1.0, -1e308, 1e308, math.inf, -math.inf, 5e-324, math.nan])


@given(
    SIZES, VALUES, VALUES, st.integers(0, 10**6), st.sampled_from(["float64", "float32", "int8"])
)
def test_whatever_comes_is_bounded_and_text_of_ours(
    sizes: list[int], value: float, other: float, place: int, dtype: str
) -> None:
    with numpy.errstate(all="ignore"):
        expected = numpy.full(sizes, other).astype(dtype)
        actual = expected.copy()
        actual.reshape(-1)[place % actual.size :] = numpy.array(value).astype(dtype)
    try:
        assert_equal(actual, expected)
    except CheckFailed as error:
        found = None if error.compared is None else difference_map(error.compared)
        if found is not None:
            assert 1 <= len(found.rows) <= MOST_ROWS
            assert all(1 <= len(row) <= MOST_COLUMNS and set(row) <= set("012345") for row in found.rows)  # fmt: skip
            assert any(row.strip("0") for row in found.rows)
            assert math.isfinite(found.largest)
            assert msgspec.json.decode(msgspec.json.encode(found), type=DifferenceMap) == found
            assert len(msgspec.json.encode(found)) < 1000
