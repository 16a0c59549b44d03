"""What fingerprints weigh, and pairs found by the index."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.alike.index import PRIOR, REFERENCE_WEIGHT, Weights, likeness, likenesses

WORKS = st.lists(st.dictionaries(st.integers(0, 20), st.just(1.0)), max_size=12)


@settings(max_examples=40)
@given(works=WORKS, compared=st.integers(0, 12))
def test_the_index_finds_what_comparing_all_pairs_finds(works, compared):
    compared = min(compared, len(works))
    expected = {}
    for (a, one), (b, other) in combinations(enumerate(works), 2):
        shared = len(one.keys() & other.keys())
        if shared and a < compared:
            expected[a, b] = shared / (min(len(one), len(other)) + PRIOR)
    assert {(a, b): value for value, a, b in likenesses(works, compared)} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("holders", "weight"), [(1, 1.0), (10, 1.0), (30, 0.5), (50, 0.0), (100, 0.0)]
)
def test_what_most_have_weighs_nothing(holders, weight):
    works = [{7} if number < holders else {number + 1000} for number in range(100)]
    assert Weights(works).of(7) == pytest.approx(weight)


@pytest.mark.parametrize("size", range(1, 6))
def test_in_a_small_class_what_two_have_counts(size):
    works = [{7} if number < 2 else {number + 1000} for number in range(size)]
    assert Weights(works).of(7) == 1


def test_what_everybody_was_given_weighs_nothing_and_the_references_way_half():
    weights = Weights([{1, 2, 3}], given={1}, reference={2})
    assert weights.weigh({1, 2, 3}) == {2: REFERENCE_WEIGHT, 3: 1.0}


def test_what_is_short_is_never_wholly_alike():
    assert likeness(3, 3, 3) < 0.3
    assert 0.9 < likeness(300, 300, 300) < 1
    assert likeness(50, 50, 500) == likeness(50, 50, 50)
