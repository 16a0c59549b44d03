"""Shared fingerprints put together to passages."""

from __future__ import annotations

from grader.alike.passages import find_passages
from grader.alike.values import Passage


def test_neighbours_are_one_passage():
    left = {1: [1, 2], 2: [2, 3], 3: [4, 5]}
    right = {1: [11, 12], 2: [12, 13], 3: [14]}
    assert find_passages(left, right, {1, 2, 3}) == (Passage((1, 2, 3, 4, 5), (11, 12, 13, 14)),)


def test_what_lies_apart_in_one_of_them_is_two():
    left = {1: [1, 2], 2: [3]}
    right = {1: [31, 32], 2: [11]}
    assert find_passages(left, right, {1, 2}) == (Passage((1, 2), (31, 32)), Passage((3,), (11,)))


def test_only_what_counts_is_shown():
    assert find_passages({1: [1], 2: [9]}, {1: [1], 2: [9]}, {2}) == (Passage((9,), (9,)),)
    assert find_passages({1: [1]}, {1: [1]}, set()) == ()
