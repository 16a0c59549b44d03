"""Values in a few words, made of no more than these words need."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.testing.excerpts import excerpt
from grader.testing.suites import brief_assertions


class Pair(NamedTuple):
    left: int
    right: str


class Counted:
    """Counts how often it is put into words."""

    times = 0

    def __repr__(self) -> str:
        type(self).times += 1
        return ""  # no length ends the list


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=5)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("as it is", "as it is"),
        (0.1 + 0.2, "0.3"),
        ((2, 3), "(2, 3)"),
        ((2,), "(2,)"),
        ([], "[]"),
        ({"a": [1, None]}, "{'a': [1, None]}"),
        ({1}, "{1}"),
        (Counter("aa"), "Counter({'a': 2})"),
        (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (Pair(1, "x"), "Pair((1, 'x'))"),
        (ValueError("no", 3), "ValueError('no', 3)"),
        (torch.float16, "torch.float16"),
        (int, "int"),
        (torch.zeros(2, 3), "tensor(2x3, float32: 0, 0, 0, 0, 0, 0)"),
        (torch.tensor(7), "tensor(one value, int64: 7)"),
        (torch.ones(900), "tensor(900, float32: 1, 1, 1, 1, 1, 1, …)"),
        (10**2000, "an integer of 6644 bits"),
    ],
)
def test_small_values_are_shown_whole(value: object, expected: str) -> None:
    assert excerpt(value) == expected


@given(plain, st.integers(10, 400))
def test_an_excerpt_is_short(value: Any, limit: int) -> None:
    assert len(excerpt(value, limit)) <= limit


@given(st.lists(st.integers(-9, 9), max_size=30) | st.text(max_size=30).map(lambda t: [t]))
def test_what_fits_is_what_repr_says(value: Any) -> None:
    assert excerpt(value, 1_000) == repr(value)


def nested(wide: int, deep: int, leaf: Any) -> Any:
    """Lists in lists that share all they can: exponentially much to write down."""
    for _ in range(deep):
        leaf = [leaf] * wide
    return leaf


@pytest.mark.parametrize(
    "make",
    [
        lambda leaf: [leaf] * 100_000,
        lambda leaf: {str(n): leaf for n in range(50_000)},
        lambda leaf: nested(10, 15, leaf),
        lambda leaf: [[leaf] * 30_000] * 3,
        lambda leaf: (leaf,) * 100_000,
    ],
)
def test_no_more_is_looked_at_than_is_shown(make: Any) -> None:
    Counted.times = 0
    assert len(excerpt(make(Counted()))) <= 300
    assert Counted.times <= 150


def test_nothing_keeps_an_excerpt_from_being_made() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    assert excerpt([Broken()]) == "[<Broken>]"
    assert "nan" in excerpt(math.nan)
    assert excerpt(torch.empty(3, device="meta")).startswith("tensor(3")


def test_a_plain_assert_quotes_in_a_few_words() -> None:
    Counted.times = 0
    left = {str(n): [Counted()] * 9 for n in range(9_000)}
    right = "x" * 900_000
    with brief_assertions(), pytest.raises(AssertionError) as caught:
        assert left == right
    assert Counted.times <= 450
    assert len(str(caught.value)) < 2_000
