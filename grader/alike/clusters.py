"""Files that pairs hold together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


def find_clusters(links: Iterable[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Return the connected components of pairs, the largest first."""
    neighbours: dict[int, set[int]] = defaultdict(set)
    for a, b in links:
        neighbours[a].add(b)
        neighbours[b].add(a)
    found = []
    seen: set[int] = set()
    for start in sorted(neighbours):
        if start in seen:
            continue
        reached = {start}
        waiting = [start]
        while waiting:
            fresh = neighbours[waiting.pop()] - reached
            reached |= fresh
            waiting += fresh
        seen |= reached
        found.append(tuple(sorted(reached)))
    return tuple(sorted(found, key=lambda one: (-len(one), one)))
