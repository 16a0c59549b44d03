"""A map of where two arrays differ, as words and as signs: for terminals, and who sees none."""

from __future__ import annotations

from grader.model import DifferenceMap

SIGNS = "·░▒▓█?"
"""For each digit of a map."""

MEANINGS = (
    "as expected",
    "differs by up to a quarter of the most",
    "by up to a half",
    "by up to three quarters",
    "by up to the most",
    "differs by no number",
)


def in_words(found: DifferenceMap) -> str:
    """What a map shows: of which part, where in it, and by how much."""
    marked = [
        (row, column)
        for row, digits in enumerate(found.rows)
        for column, digit in enumerate(digits)
        if digit != "0"
    ]
    where = []
    flat = len(found.shape) == 1
    sizes = (1 if flat else found.shape[-2], found.shape[-1])
    for axis, name in enumerate(("row", "value" if flat else "column")):
        if marked and sizes[axis] > 1:
            places = [place[axis] for place in marked]
            first = min(places) * found.block[axis]
            last = min((max(places) + 1) * found.block[axis], sizes[axis]) - 1
            where.append(f"{name}s {first} to {last}" if last > first else f"{name} {first}")
    of = f"{sizes[1]}" if flat else _by(sizes)
    text = f"{part_of(found)}: differences in {' and '.join(where) or 'it'} of {of}"
    text += f", first at {_index(found.first)}"
    return text + (f", by up to {found.largest:.6g}" if found.largest else "")


def part_of(found: DifferenceMap) -> str:
    """Which part of the arrays a map is of: `[2, :, :]`, or all of it."""
    if len(found.shape) < 3:
        return "all values"
    return f"[{', '.join(map(str, found.first[:-2]))}, :, :]"


def cell_of(found: DifferenceMap) -> str:
    """What one cell stands for; nothing where it is one value."""
    return "" if found.block == (1, 1) else f"a cell is {_by(found.block)} values"


def signs(found: DifferenceMap) -> tuple[str, ...]:
    """A line of signs for each row."""
    return tuple("".join(SIGNS[int(digit)] for digit in row) for row in found.rows)


def _by(sizes: tuple[int, int]) -> str:
    return f"{sizes[0]}×{sizes[1]}"


def _index(place: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, place))})" if len(place) > 1 else f"{place[0]}"
