"""How alike right answers are that nobody copied: a course's own, written in different styles."""

from __future__ import annotations

import re
import statistics
from collections.abc import Collection, Mapping
from itertools import combinations

from grader.alike.index import Weights, likeness
from grader.alike.values import Independent

_MADE_FROM = re.compile(r"^# made from (\w+)", re.M)


def made_from(source: str) -> str:
    """The style that a style was made from, as a comment in it says; empty if it is of its own."""
    found = _MADE_FROM.search(source)
    return found[1] if found else ""


def independent_likeness(
    styles: Mapping[str, Collection[int]], weights: Weights
) -> Independent | None:
    """Say how alike independent answers are; None if there are fewer than two.

    Args:
        styles: the fingerprints of each; of those that were made from one another, one alone.
        weights: those of the class, so that the numbers can be compared.
    """
    found = independent_pairs(styles, weights)
    if not found:
        return None
    largest, a, b = max(found)
    return Independent(
        works=tuple(styles),
        median=statistics.median(value for value, _, _ in found),
        largest=largest,
        most_alike=(a, b),
    )


def independent_pairs(
    styles: Mapping[str, Collection[int]], weights: Weights
) -> list[tuple[float, str, str]]:
    """Return the likeness of every two, also where they share nothing."""
    weighed = {name: weights.weigh(prints) for name, prints in styles.items()}
    total = {name: sum(one.values()) for name, one in weighed.items()}
    found = []
    for a, b in combinations(weighed, 2):
        shared = sum(weighed[a][value] for value in weighed[a].keys() & weighed[b].keys())
        found.append((likeness(shared, total[a], total[b]), a, b))
    return found
