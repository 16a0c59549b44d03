"""Where two arrays differ, drawn: one path of an SVG for each size of a difference."""

from __future__ import annotations

from typing import NamedTuple

from grader.model import DifferenceMap
from grader.reports.difference_words import MEANINGS, cell_of, in_words

CELL = 12


class Layer(NamedTuple):
    """All cells with one digit."""

    digit: str
    path: str
    meaning: str


class Picture(NamedTuple):
    """What the template draws, in pixels, and the same in words."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    words: str
    cell: str


def picture(found: DifferenceMap) -> Picture:
    """Draw a map."""
    paths: dict[str, list[str]] = {}
    for y, row in enumerate(found.rows):
        for x, digit in enumerate(row):
            box = f"M{x * CELL} {y * CELL}h{CELL - 1}v{CELL - 1}h-{CELL - 1}z"
            paths.setdefault(digit, []).append(box)
    return Picture(
        width=CELL * max(map(len, found.rows)),
        height=CELL * len(found.rows),
        layers=tuple(
            Layer(digit, "".join(paths[digit]), MEANINGS[int(digit)]) for digit in sorted(paths)
        ),
        words=in_words(found),
        cell=cell_of(found),
    )
