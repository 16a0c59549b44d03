"""Where two files share something: neighbouring fingerprints, put together to passages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from grader.alike.values import Passage

GAP = 2
"""Shared parts that are so few lines apart, in both files, are one passage."""


def find_passages(
    left: Mapping[int, Sequence[int]], right: Mapping[int, Sequence[int]], shared: Collection[int]
) -> tuple[Passage, ...]:
    """Return the passages that two files share, in the order of the left one.

    Args:
        left: the lines of one file's fingerprints.
        right: those of the other's.
        shared: the fingerprints that count.
    """
    found: list[tuple[set[int], set[int]]] = []
    for value in sorted(shared, key=lambda value: (left[value][0], right[value][0])):
        ours, theirs = set(left[value]), set(right[value])
        touching = [one for one in found if _near(one[0], ours) and _near(one[1], theirs)]
        for one in touching:
            ours |= one[0]
            theirs |= one[1]
            found.remove(one)
        found.append((ours, theirs))
    found.sort(key=lambda one: min(one[0]))
    return tuple(Passage(tuple(sorted(ours)), tuple(sorted(theirs))) for ours, theirs in found)


def _near(some: set[int], others: set[int]) -> bool:
    """Whether lines are among others, or no further from them than the gap."""
    return any(line + step in others for line in some for step in range(-GAP, GAP + 1))
