"""`pairs/ASSIGNMENT-NUMBER.html`: two files side by side, their shared parts marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from markupsafe import Markup

from grader.alike.passages import GAP
from grader.alike.prints import Prints
from grader.alike.values import AssignmentAlike
from grader.model import Cell
from grader.reports.alike_words import NO_VERDICT, called, percent
from grader.reports.html.highlighting import highlighted
from grader.reports.html.page import render

MOST_LINES = 2000

Code = tuple[tuple[Cell, ...], Prints]


class Run(NamedTuple):
    """Neighbouring lines of one shared part, or of none (0); `first` where the part begins."""

    part: int
    first: bool
    text: Markup


class Block(NamedTuple):
    """An answer, or a helper of one, in a cell."""

    cell: int
    runs: list[Run]


def pair_page(
    found: AssignmentAlike, number: int, names: Sequence[str], code: Mapping[int, Code]
) -> str:
    """Return the page of one pair.

    Args:
        found: its assignment.
        number: which of its pairs, from 0.
        names: the file names of the pages of all of them.
        code: cells and fingerprints by the places of works.
    """
    pair = found.pairs[number]
    sides = []
    for key, other, place, share in (
        ("l", "r", pair.left, pair.left_share),
        ("r", "l", pair.right, pair.right_share),
    ):
        lines = [one.left if key == "l" else one.right for one in pair.passages]
        work = found.works[place]
        sides.append(
            {
                "key": key,
                "other": other,
                "name": called(work),
                "file": work.file,
                "share": percent(share),
                "notes": work.notes,
                "blocks": list(_blocks(code[place], lines)),
            }
        )
    return render(
        "pair.html",
        script="pair.js",
        style="alike.css",
        title=found.title,
        likeness=percent(pair.likeness),
        no_verdict=NO_VERDICT,
        number=number + 1,
        count=len(names),
        before=names[number - 1] if number else "",
        after=names[number + 1] if number + 1 < len(names) else "",
        section=found.assignment,
        parts=len(pair.passages),
        answers=[(one.answer, percent(one.likeness)) for one in pair.answers],
        same_person=pair.same_person,
        sides=sides,
    )


def _blocks(code: Code, passages: Sequence[Sequence[int]]) -> Iterator[Block]:
    """The answers of a file, with the parts that it shares."""
    cells, prints = code
    part_of = _parts(passages)
    begun: set[int] = set()
    left = MOST_LINES
    for first, last in prints.spans:
        if left <= 0:
            return
        cell, offset, lines = _lines(cells, first)
        numbers = range(first, min(last, first + left - 1) + 1)
        left -= len(numbers)
        runs = []
        for part, group in groupby(numbers, lambda line: part_of.get(line, 0)):
            text = Markup("").join(
                Markup("{:>4}  {}\n").format(one - offset, lines[one - offset - 1]) for one in group
            )
            runs.append(Run(part, part not in begun, text))
            begun.add(part)
        yield Block(cell, runs)


def _parts(passages: Sequence[Sequence[int]]) -> dict[int, int]:
    """Which part a line belongs to; so does what says nothing between two lines of one."""
    part_of: dict[int, int] = {}
    for part, lines in enumerate(passages, 1):
        for line in lines:
            part_of.setdefault(line, part)
        for before, after in pairwise(lines):
            if after - before <= GAP + 1:
                for line in range(before + 1, after):
                    part_of.setdefault(line, part)
    return part_of


def _lines(cells: Sequence[Cell], line: int) -> tuple[int, int, tuple[Markup, ...]]:
    """The cell that a line is in, counted through all of them; the lines before it; its own."""
    offset = 0
    for cell in cells:
        lines = cell.source.count("\n") + 1
        if line <= offset + lines:
            return cell.number, offset, highlighted(cell.source)
        offset += lines
    raise AssertionError("a fingerprint is of some cell")
