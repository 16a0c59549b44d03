"""Checks of the notebook about tokens: they compare properties, not one way of writing it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from grader.testing import Handle, StudentError, SubmissionNames, assert_equal, check
from grader.testing.failure import fail

TEXTS = {
    "nothing": "",
    "a letter": "a",
    "one letter again": "aaaa",
    "words": "the cat, the hat, the bat",
    "accents": "Zoë sang « là »",
    "other scripts": "河上的渡船 🚢🚢",
}
Merges = dict[tuple[int, int], int]


def counted(ids: list[int]) -> Counter[tuple[int, int]]:
    """The pairs of neighbours in a row of ids."""
    return Counter(pairwise(ids))


def merged(ids: list[int], pair: tuple[int, int], new_id: int) -> list[int]:
    """The ids with one pair replaced, from left to right."""
    out: list[int] = []
    for token in ids:
        out.append(token)
        if tuple(out[-2:]) == pair:
            out[-2:] = [new_id]
    return out


def some_text(rng: random.Random) -> str:
    """A text in which pairs come again, no two alike."""
    words = ["".join(rng.choices("abcdeé ", k=rng.randrange(2, 6))) for _ in range(8)]
    return "".join(rng.choices(words, k=60))


def some_merges(text: str, n_merges: int) -> Merges:
    """Merges as they are to be learned."""
    ids, merges = list(text.encode()), {}
    for new_id in range(256, 256 + n_merges):
        pair, count = (counted(ids).most_common(1) or [((0, 0), 0)])[0]
        if count < 2:
            break
        ids, merges[pair] = merged(ids, pair, new_id), new_id
    return merges


def answer(call: Callable[[], Handle], mistake: str) -> Any:
    """What comes of a call; an error of the kind that a hint is about is a wrong answer."""
    try:
        return call().value()
    except StudentError as error:
        if mistake not in error.kinds:
            raise
        fail(f"it raised {mistake}: {error.message}")


def spelled(ids: list[int], merges: Merges) -> bytes:
    """The bytes that ids stand for; nothing for an id that there is not."""
    pieces = {byte: bytes([byte]) for byte in range(256)}
    for (left, right), new_id in merges.items():
        pieces[new_id] = pieces[left] + pieces[right]
    return b"".join(pieces.get(token, b"") for token in ids if type(token) is int)


class TestPairs:
    """Counting pairs"""

    practice = True

    @check(points=0, hint="Every position but the last begins a pair: pairwise(ids).")
    def test_counts(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Counts every pair of neighbours, and no other"""
        for ids in ([1, 2, 1, 2, 2], [7, 7, 7], rng.choices(range(4), k=50)):
            found = dict(submission.count_pairs(ids).value())
            assert_equal(found, dict(counted(ids)), f"the pairs of {ids[:6]} …")

    @check(points=0, hint="pairwise of a short list gives nothing, and needs no case of its own.")
    def test_short(self, submission: SubmissionNames) -> None:
        """Fewer than two ids have no pairs"""
        for ids in ([], [5]):
            assert_equal(dict(submission.count_pairs(ids).value()), {}, f"the pairs of {ids}")


class TestMerging:
    """One merge"""

    practice = True

    @pytest.mark.parametrize(
        ("ids", "expected"),
        [
            ([1, 2, 3, 1, 2], [9, 3, 9]),
            ([3, 1, 2, 3], [3, 9, 3]),
            ([2, 1], [2, 1]),
            ([1], [1]),
            ([], []),
        ],
        ids=["twice", "in the middle", "turned round", "half of it", "nothing"],
    )
    @check(points=0, hint="After a merge go on by two positions, otherwise by one, to the last.")
    def test_examples(
        self, submission: SubmissionNames, ids: list[int], expected: list[int]
    ) -> None:
        """(1, 2) becomes 9, wherever it occurs"""
        assert_equal(list(submission.merge(ids, (1, 2), 9).value()), expected, f"merged {ids}")

    @check(points=0, hint="In [1, 1, 1] the second 1 is used up by the first merge.")
    def test_overlapping(self, submission: SubmissionNames) -> None:
        """A position is used once: [1, 1, 1] becomes [9, 1]"""
        found = list(submission.merge([1, 1, 1], (1, 1), 9).value())
        assert_equal(found, [9, 1], "merged [1, 1, 1]")

    @check(points=0, hint="Walk from left to right, and build a new list.")
    def test_any_row(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Does so in any row of ids"""
        for _ in range(20):
            ids = rng.choices(range(3), k=rng.randrange(2, 30))
            pair = (rng.randrange(3), rng.randrange(3))
            found = list(submission.merge(ids, pair, 9).value())
            assert_equal(found, merged(ids, pair, 9), f"{ids} with {pair} merged")


class TestTraining:
    """Training"""

    practice = True

    @check(points=0, hint="The first new id is 256, because 0 to 255 are bytes.")
    def test_ids(self, submission: SubmissionNames, rng: random.Random) -> None:
        """New ids are 256, 257, … in the order of the merges"""
        merges = submission.train_bpe(some_text(rng), 12).value()
        assert_equal(list(merges.values()), list(range(256, 268)), "the new ids")

    @check(points=0, hint="Count anew after each merge, and take a pair with the largest count.")
    def test_most_frequent(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each merge is of a pair that is most frequent by then"""
        text = some_text(rng)
        ids = list(text.encode())
        for pair, new_id in submission.train_bpe(text, 25).value().items():
            counts = counted(ids)
            best = max(counts.values())
            if counts[tuple(pair)] != best:
                fail(f"merge {new_id} is of {pair}, which occurs {counts[tuple(pair)]} times by"
                     f" then; another pair occurs {best} times")  # fmt: skip
            ids = merged(ids, tuple(pair), new_id)

    @check(points=0, hint="Stop when the most frequent pair occurs only once, or there is none.")
    def test_stops(self, submission: SubmissionNames) -> None:
        """Stops when no pair occurs twice"""
        for text, most in (("", 0), ("abcdef", 0), ("abab", 1)):
            merges = answer(partial(submission.train_bpe, text, 50), "ValueError")
            assert_equal(len(merges), most, f"the number of merges from {text!r}")


class TestEncoding:
    """Encoding"""

    practice = True

    @check(points=0, hint="If `merge` is right: begin with the bytes, and take merges in order.")
    def test_order(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Merges are carried out in the order in which they were learned"""
        text, other = some_text(rng), some_text(rng)
        merges = some_merges(text + other, 40)
        for one in (text, other):
            expected = list(one.encode())
            for pair, new_id in merges.items():
                expected = merged(expected, pair, new_id)
            assert_equal(list(submission.encode(one, merges).value()), expected, "the ids")


class TestRoundTrip:
    """There and back"""

    practice = True

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    @check(points=0, hint="If the ids are right: join the bytes of all pieces, then decode once.")
    def test_back(self, submission: SubmissionNames, text: str, rng: random.Random) -> None:
        """Any text comes back as it was"""
        merges = some_merges(some_text(rng) + text * 3, 30)
        ids = list(submission.encode(text, merges).value())
        stood_for = spelled(ids, merges)
        if stood_for != text.encode():
            fail(
                "`encode` gave ids of other bytes than the text's: mend it, or `merge`, first",
                expected=text.encode(),
                actual=stood_for,
            )
        back = answer(partial(submission.decode, ids, merges), "UnicodeDecodeError")
        assert_equal(back, text, "the text that came back")

    @check(points=0, hint='bytes.decode("utf-8", errors="replace") raises nothing.')
    def test_no_text(self, submission: SubmissionNames) -> None:
        """Ids that are no text become U+FFFD, not an error"""
        half = list("é".encode())[:1]
        ids = [*b"a", *half, *b"b"]
        found = answer(partial(submission.decode, ids, {}), "UnicodeDecodeError")
        assert_equal(found, "a\ufffdb", "the text of half a character")
