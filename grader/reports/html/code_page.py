"""`code/STUDENT/ASSIGNMENT.html`: a student's code, and what was lost where. For instructors."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from grader.gradebook import AssignmentReport, Gradebook, Origin, Score, ScoredOutcome, State
from grader.model import Cell, Status
from grader.reports.case import Neighbours, anchors, asked_names, definition, rerun
from grader.reports.feedback import SYMBOLS
from grader.reports.html.highlighting import highlighted
from grader.reports.html.page import address, clipped, render
from grader.reports.students import called
from grader.store.output import STUDENTS
from grader.text import points

MOST_LINES = 2000
COLOURED = 60_000
"""Characters of a page that have colours."""

MOST_CHANGES = 300
CONTEXT = 2
NOTE_LENGTH = 240


class Note(NamedTuple):
    """What was lost at a line: a check, with its place on the student's page, or a cell's error."""

    symbol: str
    text: str
    anchor: str = ""


class CodeLine(NamedTuple):
    """A line of a cell. `names` are the answers whose definition begins with it."""

    number: int
    code: Markup
    names: tuple[str, ...]
    raised: tuple[Note, ...]
    asked: tuple[Note, ...]


class CodeCell(NamedTuple):
    """A cell, up to the limit of the page."""

    number: int
    lines: tuple[CodeLine, ...]


class Change(NamedTuple):
    """A line that two attempts do not share, `+` or `-`, or one beside it."""

    kind: str
    text: str


def code_page(
    gradebook: Gradebook,
    assignment: AssignmentReport,
    score: Score,
    cells: Sequence[Cell],
    *,
    folder: str,
    results: str,
    origin: Origin,
    file: str,
    neighbours: Neighbours,
    earlier: tuple[int, Sequence[Cell]] | None = None,
    refused: str = "",
    made_from: str = "",
) -> str:
    """Return the page of one submission.

    Args:
        gradebook: that it belongs to.
        assignment: its assignment.
        score: what it came to.
        cells: its code.
        folder: the name that the student's files have.
        results: the folder of the reports, as it was named.
        origin: where it lay.
        file: a link to it; empty for none.
        neighbours: the same assignment of other students.
        earlier: the attempt before it, and its code.
        refused: why it can't be read any more.
        made_from: the fingerprint of everything that decides this page.
    """
    shown = list(_cells(cells, assignment, score))
    count = sum(cell.source.count("\n") + 1 for cell in cells)
    return render(
        "code.html",
        script="code.js",
        style="code.css",
        isolation=gradebook.isolation,
        student=called(score.student, gradebook),
        title=gradebook.course_title or gradebook.course,
        assignment=assignment,
        score=_score(score),
        overview=address("..", "..", STUDENTS, f"{folder}.html"),
        file=file,
        name=score.file,
        member=origin.member is not None,
        digest=score.digest[:12],
        seed=origin.seed,
        command=rerun(score.student, score.assignment, results=results),
        neighbours=neighbours,
        cells=shown,
        left_out=max(0, count - MOST_LINES),
        notes=[note for cell in shown for note in _first_notes(cell)],
        attempt=earlier[0] if earlier else 0,
        refused=refused,
        changes=list(_changes(earlier[1], cells)) if earlier else [],
        made_from=made_from,
    )


def _score(score: Score) -> str:
    if not score.state.has_points:
        return str(score.state.value)
    worth = f"{points(score.earned)} of {points(score.possible)}"
    return worth if score.state is State.GRADED else f"unmarked, {worth} so far"


def _first_notes(cell: CodeCell) -> Iterator[tuple[str, str, Note]]:
    """Where a page's notes are, and what they say, for a list at its beginning."""
    for line in cell.lines:
        for note in (*line.raised, *line.asked):
            place = f"cell {cell.number}, line {line.number}"
            yield f"c{cell.number}-{line.number}", place, note


def _cells(cells: Sequence[Cell], assignment: AssignmentReport, score: Score) -> Iterator[CodeCell]:
    raised, asked, names = _notes(cells, assignment, score)
    left, coloured = MOST_LINES, COLOURED
    for cell in cells:
        if left <= 0:
            return
        source = "\n".join(cell.source.split("\n")[:left])
        coloured -= len(source)
        code = highlighted(source) if coloured >= 0 else highlighted(source, colours=False)
        left -= len(code)
        yield CodeCell(
            cell.number,
            tuple(
                CodeLine(
                    number,
                    line,
                    tuple(names.get((cell.number, number), ())),
                    tuple(raised.get((cell.number, number), ())),
                    tuple(asked.get((cell.number, number), ())),
                )
                for number, line in enumerate(code, 1)
            ),
        )


Place = tuple[int, int]
Notes = dict[Place, list[Note]]


def _notes(
    cells: Sequence[Cell], assignment: AssignmentReport, score: Score
) -> tuple[Notes, Notes, dict[Place, list[str]]]:
    """What belongs to a line: what raised there, what was asked of it, answers that begin there."""
    raised: Notes = {}
    asked: Notes = {}
    names: dict[Place, list[str]] = {}
    places = anchors(assignment)
    for error in score.cell_errors:
        text = clipped(f"{error.error}: {error.message}", NOTE_LENGTH)
        raised.setdefault((error.cell, error.line or 1), []).append(Note("✗", text))
    for title, outcome in _lost(assignment, score):
        symbol = SYMBOLS[outcome.status]
        if outcome.cell is not None and outcome.line is not None:
            text = clipped(f"{title}: {outcome.detail or outcome.message}", NOTE_LENGTH)
            note = Note(symbol, text, places[outcome.check])
            raised.setdefault((outcome.cell, outcome.line), []).append(note)
            continue
        for name in asked_names(outcome):
            found = definition(name, cells)
            if found is not None:
                place = (found[0].number, found[1])
                note = Note(symbol, clipped(title, NOTE_LENGTH), places[outcome.check])
                asked.setdefault(place, []).append(note)
                if name not in names.setdefault(place, []):
                    names[place].append(name)
    return raised, asked, names


def _lost(assignment: AssignmentReport, score: Score) -> Iterator[tuple[str, ScoredOutcome]]:
    titles = {check.id: check.title for q in assignment.questions for check in q.checks}
    for outcome in score.outcomes:
        if outcome.check in titles and outcome.status not in (Status.PASSED, Status.SKIPPED):
            yield titles[outcome.check], outcome


def _changes(before: Sequence[Cell], after: Sequence[Cell]) -> Iterator[Change]:
    """What the attempt before this one had, and what this one has instead."""
    old, new = (
        [line[:NOTE_LENGTH] for cell in cells for line in cell.source.split("\n")][:MOST_LINES]
        for cells in (before, after)
    )
    shown = 0
    for line in difflib.unified_diff(old, new, lineterm="", n=CONTEXT):
        if line.startswith(("---", "+++")) and not shown:
            continue
        shown += 1
        if shown > MOST_CHANGES:
            yield Change("", "…")
            return
        kind = line[:1] if line[:1] in "+-" else ""
        yield Change(kind, "⋮" if line.startswith("@@") else line)
