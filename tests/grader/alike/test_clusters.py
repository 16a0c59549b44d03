"""Who is held together by pairs."""

from __future__ import annotations

from grader.alike.clusters import find_clusters


def test_pairs_hold_together_whoever_they_reach():
    links = [(1, 2), (5, 4), (2, 3), (7, 4), (4, 8)]
    assert find_clusters(links) == ((4, 5, 7, 8), (1, 2, 3))
    assert find_clusters([]) == ()
