"""Fingerprints: equal passages share some, and few are kept."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from grader.alike.winnowing import GRAM, LEAST_WORDS, WINDOW, fingerprints

PASSAGE = st.lists(st.sampled_from("abcdefgh"), min_size=GRAM + WINDOW - 1, max_size=40)


def values(words: list[str]) -> set[int]:
    return {value for value, _, _ in fingerprints(words)}


@given(random=st.randoms(use_true_random=False))
def test_whoever_has_a_passage_shares_a_fingerprint(random):
    before, after, elsewhere = (
        random.choices("abcdefgh", k=random.randrange(40)) for _ in range(3)
    )
    passage = random.choices("abcdefgh", k=GRAM + WINDOW - 1)
    assert values(before + passage + after) & values(elsewhere + passage)


@given(words=PASSAGE)
def test_a_fingerprint_stands_for_its_own_words(words):
    by_value: dict[int, list[str]] = {}
    for value, start, end in fingerprints(words):
        assert by_value.setdefault(value, words[start:end]) == words[start:end]


@given(words=st.lists(st.sampled_from("abcd"), min_size=60, max_size=90))
def test_one_of_each_window_is_kept(words):
    places = [start for _, start, _ in fingerprints(words)]
    assert max(b - a for a, b in pairwise(places)) <= WINDOW


def test_only_some_are_kept():
    words = [str(number * number) for number in range(1000)]
    assert 200 < len(list(fingerprints(words))) < 600
    assert len(list(fingerprints(["same"] * 1000))) < 400


def test_what_is_short_has_one_and_what_is_shorter_none():
    words = [str(number) for number in range(GRAM)]
    assert len(values(words[:LEAST_WORDS])) == 1
    assert not values(words[: LEAST_WORDS - 1])


def test_they_are_the_same_in_every_process():
    assert [value for value, _, _ in fingerprints("abcdefgh")] == [1305589868088166086]
