"""Fingerprints of sequences of words, so chosen that equal passages share some.

Schleimer, Wilkerson and Aiken 2003, "Winnowing: Local Algorithms for Document Fingerprinting". Of
every `WINDOW` neighbouring k-grams the one with the least hash is kept; of several the one that is
kept already, or else the rightmost (robust winnowing, section 5.1). Two sequences with `GRAM +
WINDOW - 1` words in common, side by side, share a fingerprint at least.

The libraries that do it (copydetect) take a file's text as tokens, in their order, and compare
every file with every other; here the words are those of a syntax tree, and an index finds the
pairs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

GRAM = 10
WINDOW = 4
LEAST_WORDS = 8
"""A shorter sequence says nothing: there are not many ways to write it."""

_PRIME = (1 << 61) - 1
_BASE = 0x1F3D5B79_2468ACE1 % _PRIME


def fingerprints(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Yield a sequence's fingerprints, each with where its words begin and end.

    What is shorter than a k-gram has a fingerprint of its own, if it is long enough to say
    anything.
    """
    if len(words) <= GRAM:
        if len(words) >= LEAST_WORDS:
            yield next(_hashes(words, len(words))), 0, len(words)
        return
    hashes = list(_hashes(words, GRAM))
    for place in _winnow(hashes, WINDOW):
        yield hashes[place], place, place + GRAM


def _hashes(words: Sequence[str], size: int) -> Iterator[int]:
    """The rolling hash of every run of so many words (Karp and Rabin 1987)."""
    first = pow(_BASE, size - 1, _PRIME)
    value = 0
    for place, word in enumerate(words):
        if place >= size:
            value -= _number(words[place - size]) * first
        value = (value * _BASE + _number(word)) % _PRIME
        if place >= size - 1:
            yield value


def _winnow(hashes: Sequence[int], window: int) -> Iterator[int]:
    """The places of the hashes that are kept, in order."""
    kept = -1
    for end in range(min(window, len(hashes)), len(hashes) + 1):
        start = max(0, end - window)
        if kept >= start:  # the least so far is still in sight: only the newest can be less
            if hashes[end - 1] < hashes[kept]:
                kept = end - 1
                yield kept
        else:
            kept = min(range(start, end), key=lambda place: (hashes[place], -place))
            yield kept


@lru_cache(maxsize=1 << 16)
def _number(word: str) -> int:
    """A word's number, the same in every process."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big") % _PRIME
