"""The class as one picture: students down, checks across, one path of an SVG for each status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.gradebook import Gradebook, Score, State
from grader.model import Status, Value
from grader.reports.case import anchors
from grader.reports.html.page import address
from grader.reports.students import by_student, called, overall
from grader.text import one_line

NAME_WIDTH = 150
HEAD = 26
CELL_WIDTH = 5
GAP = 10
TALL, FLAT = 14, 3  # the height of a row, with names and without
NAMES_UP_TO = 60  # students; more of them make a picture without names
NAME_LENGTH = 22

WORDS = {
    "passed": "passed",
    "failed": "failed",
    "error": "stopped by an error",
    "timeout": "took too long",
    "skipped": "not tried",
    "ungraded": "ungraded",
    "missing": "missing",
}


class Layer(Value, frozen=True):
    """All cells of one kind: the path draws one rectangle for each run of neighbours."""

    kind: str
    path: str
    count: int


class Label(Value, frozen=True):
    """A text in the picture."""

    x: float
    y: float
    text: str


class Column(Value, frozen=True):
    """An assignment: where its cells begin, and its checks with their titles.

    `questions` are ids, titles and numbers of checks, `places` where a check stands on a student's
    page.
    """

    x: int
    title: str
    assignment: str
    checks: tuple[str, ...]
    titles: tuple[str, ...]
    questions: tuple[tuple[str, str, int], ...]
    places: tuple[str, ...]


class HeatMap(Value, frozen=True):
    """What the template draws, in pixels.

    `rows` names the students from top to bottom, `pages` are theirs, and `cells` has a letter for
    each check: the first one of its kind.
    """

    width: int
    height: int
    row_height: int
    layers: tuple[Layer, ...]
    heads: tuple[Label, ...]
    names: tuple[Label, ...]
    rows: tuple[str, ...]
    pages: tuple[str, ...]
    cells: tuple[str, ...]
    columns: tuple[Column, ...]

    def readout(self) -> dict[str, object]:
        """What the page's script needs to say what a cell is, to lead there, and to filter."""
        return {
            "head": HEAD,
            "row": self.row_height,
            "cell": CELL_WIDTH,
            "names": [one_line(name) for name in self.rows],
            "pages": self.pages,
            "cells": self.cells,
            "kinds": {kind[0]: word for kind, word in WORDS.items()},
            "columns": [
                {
                    "x": column.x,
                    "id": column.assignment,
                    "title": column.title,
                    "ids": column.checks,
                    "checks": column.titles,
                    "questions": column.questions,
                    "anchor": address(column.assignment),
                    "places": [address(place) for place in column.places],
                }
                for column in self.columns
            ],
        }


def heat_map(gradebook: Gradebook, pages: Mapping[str, str]) -> HeatMap:
    """Draw the strongest students first, so that a hard check is a column that ends early.

    Args:
        gradebook: of the class.
        pages: where each student's page is.
    """
    students = by_student(gradebook)
    order = sorted(students, key=lambda name: (-overall(students[name].values()).earned, name))
    row_height = TALL if len(order) <= NAMES_UP_TO else FLAT
    left = NAME_WIDTH if row_height == TALL else 0
    columns, heads, width = _columns(gradebook, left)
    paths: dict[str, list[str]] = {kind: [] for kind in WORDS}
    counts = dict.fromkeys(WORDS, 0)
    cells = []
    for place, name in enumerate(order):
        y = HEAD + place * row_height
        kinds = [_kinds(students[name].get(one.assignment), one.checks) for one in columns]
        cells.append("".join(kind[0] for row in kinds for kind in row))
        for kind, x, length in _runs(kinds, columns):
            paths[kind].append(f"M{x} {y}h{length * CELL_WIDTH}v{row_height - 1}H{x}z")
            counts[kind] += length
    names = [
        Label(
            x=left - 8,
            y=HEAD + place * TALL + TALL - 4,
            text=one_line(called(name, gradebook))[:NAME_LENGTH],
        )
        for place, name in enumerate(order)
    ]
    return HeatMap(
        width=width,
        height=HEAD + len(order) * row_height,
        row_height=row_height,
        layers=tuple(
            Layer(kind=kind, path="".join(paths[kind]), count=counts[kind])
            for kind in WORDS
            if counts[kind]
        ),
        heads=tuple(heads),
        names=tuple(names) if left else (),
        rows=tuple(called(name, gradebook) for name in order),
        pages=tuple(pages[name] for name in order),
        cells=tuple(cells),
        columns=tuple(columns),
    )


def _columns(gradebook: Gradebook, left: int) -> tuple[list[Column], list[Label], int]:
    columns = []
    heads = []
    x = left
    for assignment in gradebook.assignments:
        checks = [check for question in assignment.questions for check in question.checks]
        width = len(checks) * CELL_WIDTH
        room = max(3, width // 7)
        title = one_line(assignment.title)
        shown = title if len(title) <= room else title[: room - 1] + "…"
        columns.append(
            Column(
                x=x,
                title=title,
                assignment=assignment.id,
                checks=tuple(check.id for check in checks),
                titles=tuple(one_line(check.title) for check in checks),
                questions=tuple(
                    (question.id, one_line(question.title), len(question.checks))
                    for question in assignment.questions
                ),
                places=tuple(anchors(assignment)[check.id] for check in checks),
            )
        )
        heads.append(Label(x=x, y=16, text=shown))
        x += width + GAP
    return columns, heads, max(x - GAP, left + 1)


def _runs(
    kinds: Sequence[Sequence[str]], columns: Sequence[Column]
) -> Iterator[tuple[str, int, int]]:
    """The kinds of a student's cells, with the place and number of equal neighbours."""
    for of_column, column in zip(kinds, columns, strict=True):
        yield from _grouped(of_column, column.x)


def _kinds(score: Score | None, checks: Sequence[str]) -> Sequence[str]:
    if score is None or score.state is State.MISSING:
        return ["missing"] * len(checks)
    if score.state is State.UNGRADED:
        return ["ungraded"] * len(checks)
    statuses = {outcome.check: outcome.status for outcome in score.outcomes}
    return [statuses.get(check, Status.SKIPPED).value for check in checks]


def _grouped(kinds: Iterable[str], x: int) -> Iterator[tuple[str, int, int]]:
    before, length = "", 0
    for kind in (*kinds, ""):
        if kind != before:
            if length:
                yield before, x, length
            x, before, length = x + length * CELL_WIDTH, kind, 0
        length += 1
