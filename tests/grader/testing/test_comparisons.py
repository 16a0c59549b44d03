"""Arrays, tables and records: the first difference, said as one would look for it."""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from value_kinds import ARRAYS, PANDAS, STANDARD, TABLES, crossed

from grader.testing import assert_close, assert_differs, assert_equal, assert_shape, differing
from grader.testing.failure import CheckFailed
from grader.testing.objects import plain

Point = namedtuple("Point", "x y")


@dataclass
class Cart:
    owner: str
    prices: Any


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [1.0, math.nan, 3.0], "c": ["x", "y", None]})
LABELLED = FRAME.set_index(pd.Index(["r", "s", "t"], name="key"))


def said(failure: pytest.ExceptionInfo[CheckFailed]) -> str:
    told = f"{failure.value.message}"
    for word, value in (("expected", failure.value.expected), ("got", failure.value.actual)):
        told += "" if value is None else f"; {word} {value}"
    return told


DIFFERENT = [
    ([1, 2], np.array([1, 2]), "it: the wrong type; expected ndarray array(2, int64: 1, 2); got list [1, 2]"),
    (np.ones((2, 1)), np.ones(2), "it: the wrong shape; expected (2,); got (2, 1)"),
    (np.ones(2), np.ones(2, "float32"), "it: the wrong dtype; expected float32; got float64"),
    (
        np.array([[1, 2], [3, 5]]),
        np.array([[1, 2], [4, 4]]),
        "it: not as expected, 2 of 4 values differ, first at (1, 0); expected 4; got 3",
    ),
    (
        np.array([1.0, math.nan]),
        np.array([1.0, 2.0]),
        "it: not as expected, 1 of 2 values differ, first at (1,); expected 2; got nan",
    ),
    (np.array(["a"]), np.array(["bc"]),
     "it: not as expected, 1 of 1 values differ, first at (0,); expected bc; got a"),
    (
        np.array(["2024-01-01"], "datetime64[D]"),
        np.array(["2024-01-02"], "datetime64[D]"),
        "it: not as expected, 1 of 1 values differ, first at (0,); expected 2024-01-02",
    ),
    (FRAME["a"], FRAME, "it: the wrong type; expected DataFrame DataFrame(3 rows: a, b, c)"),
    (FRAME[["a", "b"]], FRAME, "it: columns are missing: 'c'; expected 'a', 'b', 'c'; got 'a', 'b'"),
    (FRAME, FRAME[["a"]], "it: unexpected columns: 'b', 'c'; expected 'a'; got 'a', 'b', 'c'"),
    (FRAME[["b", "a"]], FRAME[["a", "b"]],
     "it: the columns are in another order; expected 'a', 'b'; got 'b', 'a'"),
    (FRAME[:2], FRAME, "it: the wrong number of rows; expected 3; got 2"),
    (FRAME, LABELLED, "it: row 0 has another label; expected r; got 0"),
    (FRAME.astype({"a": float}), FRAME,
     "it: the wrong dtype in column 'a'; expected int64; got float64"),
    (LABELLED.assign(a=[1, 5, 6]), LABELLED,
     "it: not as expected, 2 of 9 values differ, first in row 1 ('s'), column 'a'; expected 2; got 5"),
    (FRAME.assign(c=["x", "y", "z"]), FRAME,
     "it: not as expected, 1 of 9 values differ, first in row 2, column 'c'; expected a missing value; got z"),
    (FRAME["a"] + 1, FRAME["a"],
     "it: not as expected, 3 of 3 values differ, first in row 0; expected 1; got 2"),
    (FRAME["a"].astype("Int64"), FRAME["a"], "it: the wrong dtype; expected int64; got Int64"),
    (pd.Index([1, 2]), pd.Index([1, 3]), "it: row 1 has another label; expected 3; got 2"),
    (pa.table({"a": [1, 2]}), pa.table({"a": [1, 3]}),
     "it: not as expected, 1 of 2 values differ, first in row 1, column 'a'; expected 3; got 2"),
    (pa.table({"a": [1.0]}), pa.table({"a": [1]}),
     "it: the wrong type in column 'a'; expected int64; got double"),
    (Cart("Ada", np.array([1])), Cart("Ada", np.array([2])),
     "it.prices: not as expected, 1 of 1 values differ, first at (0,); expected 2; got 1"),
    (Cart("Ada", 1), Point(1, 2), "it: the wrong type; expected "),
    ((1, 2), Point(1, 2), "it: the wrong type"),
    ([FRAME, FRAME[:1]], [FRAME, FRAME[:2]],
     "it[1]: the wrong number of rows; expected 2; got 1"),
    ({"k": FRAME}, {"k": FRAME, "l": 1}, "it: keys are missing: 'l'; expected 'k', 'l'; got 'k'"),
    ([np.ones(1)], [np.ones(1)] * 2, "it: the wrong length; expected 2; got 1"),
]  # fmt: skip


@pytest.mark.parametrize(("actual", "expected", "told"), DIFFERENT)
def test_the_first_difference_is_said(actual: Any, expected: Any, told: str) -> None:
    for compare in (assert_equal, assert_close):
        with pytest.raises(CheckFailed) as failure:
            compare(actual, expected, "it")
        assert said(failure).startswith(told)


@given(STANDARD | ARRAYS | PANDAS | TABLES)
def test_what_came_back_is_equal_to_what_was_sent(value: Any) -> None:
    if value != value if type(value) in (Decimal, complex) else False:
        return  # a number that is none is equal to nothing
    assert_equal(crossed(value), value)
    assert_close(crossed([value]), [plain(value)])


@pytest.mark.parametrize("name", ["other", None])
def test_names_are_compared_by_equality_alone(name: str | None) -> None:
    series, frame = FRAME["a"].rename(name), LABELLED.rename_axis(name)
    assert_close(series, FRAME["a"])
    assert_close(frame, LABELLED)
    with pytest.raises(CheckFailed, match="the Series has another name"):
        assert_equal(series, FRAME["a"])
    with pytest.raises(CheckFailed, match="the index has another name"):
        assert_equal(frame, LABELLED)


def test_close_forgives_floats_alone() -> None:
    assert_close(FRAME.assign(b=FRAME["b"] + 1e-7), FRAME)
    assert_close(np.array([1.0 + 1e-7, math.inf, math.nan]), np.array([1.0, math.inf, math.nan]))
    assert_close({"mean": [1 + 1e-7]}, {"mean": [1.0]})
    with pytest.raises(CheckFailed, match=r"it\['mean'\]\[0\]: not as expected"):
        assert_close({"mean": [1.1]}, {"mean": [1.0]}, "it")
    with pytest.raises(CheckFailed):
        assert_equal(FRAME.assign(b=FRAME["b"] + 1e-7), FRAME)


def test_dtypes_may_be_forgiven() -> None:
    assert_close(np.array([1, 2]), np.array([1.0, 2.0]), dtypes=False)
    assert_close(FRAME.astype({"a": "float32"}), FRAME, dtypes=False)
    assert_close(FRAME["a"].astype("Int64"), FRAME["a"], dtypes=False)


@pytest.mark.parametrize("value", [Fraction(1, 2), Decimal("0.5"), 0.5 + 1e-7, np.float32(0.5)])
def test_numbers_of_every_kind_are_close(value: Any) -> None:
    assert_close(value, 0.5)
    assert_close(0.5, value)
    with pytest.raises(CheckFailed, match="not as expected"):
        assert_close(value, 0.6)


def test_numbers_beyond_floats_are_compared() -> None:
    assert_close(10**400, 10**400)
    with pytest.raises(CheckFailed):
        assert_close(10**400, 1.0)
    assert_close(1 + 1e-7j, 1 + 0j)
    with pytest.raises(CheckFailed, match="wrong type"):
        assert_close(1 + 1j, 1.0)


def test_arrays_and_tensors_stand_for_one_another() -> None:
    assert_close(np.ones(2, "float32"), torch.ones(2))
    assert_close(torch.ones(2), np.ones(2, "float32"))
    assert_differs(torch.ones(2), np.zeros(2, "float32"))


def test_records_are_equal_to_what_they_were() -> None:
    assert_equal(crossed(Cart("Ada", [1])), Cart("Ada", [1]))
    assert_equal(crossed(Point(1, 2)), Point(1, 2))
    assert_equal(crossed(Point(1, 2)), (1, 2))
    with pytest.raises(CheckFailed, match=r"it.owner: not as expected"):
        assert_equal(crossed(Cart("Ada", [1])), Cart("Eve", [1]), "it")


@pytest.mark.parametrize(
    "value", [np.arange(3), np.array([1.0, math.nan]), FRAME, FRAME["b"], 3, "x"]
)
def test_a_difference_is_demanded_of_everything(value: Any) -> None:
    with pytest.raises(CheckFailed, match="no change although there should be one"):
        assert_differs(value, value)


def test_a_change_is_a_difference() -> None:
    assert_differs(np.arange(3), np.arange(3) + 1)
    assert_differs(FRAME, FRAME.assign(a=0))
    assert_differs([1, 2], [2, 1])
    with pytest.raises(CheckFailed, match="wrong shape"):
        assert_differs(np.arange(3), np.arange(4))
    with pytest.raises(CheckFailed, match="no change"):
        assert_differs(np.array([1e6]), np.array([1e6 + 1]))


def test_where_arrays_differ() -> None:
    assert differing(np.array([1.0, 2.0]), np.array([1.0, 3.0])).tolist() == [False, True]
    assert differing(FRAME["c"], FRAME["c"].fillna("z")).tolist() == [False, False, True]


def test_shapes_of_arrays_and_tables() -> None:
    assert_shape(np.ones((2, 3)), (2, 3))
    with pytest.raises(CheckFailed, match="the wrong shape"):
        assert_shape(FRAME, (3, 2))


@given(st.floats(allow_nan=False, width=32), st.floats(-1e6, 1e6))
def test_close_and_differs_are_two_sides_of_one_ruler_for_arrays(
    value: float, change: float
) -> None:
    first, second = np.array([value]), np.array([value + change])
    forgiven = False
    for pair in ((first, second), (second, first)):
        try:
            assert_close(*pair)
            forgiven = True
        except CheckFailed:
            pass
    try:
        assert_differs(first, second)
        differs = True
    except CheckFailed:
        differs = False
    assert differs is not forgiven
