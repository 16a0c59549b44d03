"""How alike files are, by the fingerprints that they share.

A fingerprint weighs 1 when few have it. It weighs nothing when it is in what everybody was given
(the notebook, the course's own packages), or in most of the class; between a tenth and half of the
class its weight falls in a straight line. One that is in the reference, too, weighs half as much:
two who found the course's own way did so more likely each by themselves.

The likeness of two files is the weight that they share, over the weight of the lighter one and a
constant: a whole answer that is part of more counts in full, and what is short never does. Pairs
are found by an inverted index: only those with something in common cost anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

FEW, MOST = 0.1, 0.5
"""Shares of the class up to which a fingerprint weighs 1, and from which it weighs nothing."""
AT_LEAST_FEW = 3
REFERENCE_WEIGHT = 0.5
PRIOR = 8.0
"""What is added to the lighter file's weight: about what ten lines of code weigh."""


class Weights:
    """What each fingerprint weighs.

    Args:
        class_: the fingerprints of each file of the class.
        given: those of what everybody was given.
        reference: those of the course's own answers.
    """

    def __init__(
        self,
        class_: Sequence[Collection[int]],
        given: Collection[int] = (),
        reference: Collection[int] = (),
    ) -> None:
        self._count: dict[int, int] = defaultdict(int)
        for one in class_:
            for value in one:
                self._count[value] += 1
        self._few = max(AT_LEAST_FEW, FEW * len(class_))
        self._most = max(2 * self._few, MOST * len(class_))
        self._given = frozenset(given)
        self._reference = frozenset(reference)

    def of(self, value: int) -> float:
        """Return what a fingerprint weighs, from 0 to 1."""
        if value in self._given:
            return 0.0
        rarity = (self._most - self._count.get(value, 0)) / (self._most - self._few)
        weight = min(1.0, max(0.0, rarity))
        return weight * REFERENCE_WEIGHT if value in self._reference else weight

    def weigh(self, prints: Collection[int]) -> dict[int, float]:
        """Return the weights of those fingerprints that weigh anything."""
        return {value: weight for value in prints if (weight := self.of(value)) > 0}


def likeness(shared: float, left: float, right: float) -> float:
    """How alike two files are that weigh so much and share so much of it."""
    return shared / (min(left, right) + PRIOR)


def likenesses(
    works: Sequence[Mapping[int, float]], compared: int | None = None
) -> Iterator[tuple[float, int, int]]:
    """Yield how alike two files are, and their places, for all that share anything.

    Args:
        works: the weights of each file's fingerprints.
        compared: how many of them are this year's: those behind are not compared with each other.
    """
    total = [sum(one.values()) for one in works]
    holders: dict[int, list[int]] = defaultdict(list)
    for place in range(len(works) - 1, -1, -1):
        shared: dict[int, float] = defaultdict(float)
        for value, weight in works[place].items():
            behind = holders[value]
            if place < (len(works) if compared is None else compared):
                for other in behind:
                    shared[other] += weight
            behind.append(place)
        for other, weight in shared.items():
            yield likeness(weight, total[place], total[other]), place, other
