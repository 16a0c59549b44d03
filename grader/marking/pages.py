"""The pages of `grader mark`: all questions, one answer, all that somebody handed in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from grader.config.policy import Mark
from grader.intake.written import CODE, Piece
from grader.marking.desk import Desk, Progress, Queue, Sheet
from grader.model import Question
from grader.reports.feedback import signed
from grader.reports.html.highlighting import highlighted
from grader.reports.html.page import render
from grader.scoring.marking import CHANGED, CONFLICT, points_of
from grader.store.lines import digest
from grader.text import points, printable, shortened

MOST_CHARACTERS = 40_000
"""Of one cell that are shown; the file has the rest."""
MOST_CELLS = 400
KEYS = "1234567890"


class ShownPiece(NamedTuple):
    """A cell as it is shown: prose as the text that it is, code in colours."""

    prose: str
    code: tuple[Markup, ...]
    pictures: int


class Item(NamedTuple):
    """A rubric item. `worth` has its sign, `points` are for the page's script."""

    id: str
    text: str
    worth: str
    points: float
    key: str
    chosen: bool


class Shown(NamedTuple):
    """A mark in words."""

    by: str
    at: str
    points: str
    lines: tuple[str, ...]
    comment: str
    withdrawn: bool


class Row(NamedTuple):
    """A question in the list of all."""

    queue: Queue
    progress: Progress
    start: int


def overview(desk: Desk, root: str, notice: str = "") -> str:
    """Return the page of all questions, whose addresses begin with `root`."""
    rows = [
        Row(one, desk.progress(one), desk.next_waiting(one) or 1)
        for one in desk.queues
        if one.students
    ]
    return render(
        "mark_index.html", style="code.css mark.css", posts=True,
        root=root, rows=rows, marker=desk.marker, notice=notice,
        left=sum(row.progress.answers - row.progress.marked for row in rows),
    )  # fmt: skip


def answer_page(desk: Desk, sheet: Sheet, root: str, *, named: bool, notice: str = "") -> str:
    """Return the page on which one answer is marked.

    Args:
        desk: that it lies on.
        sheet: the answer.
        root: what addresses begin with.
        named: whether the student is told.
        notice: what to say above the answer.
    """
    question, number = sheet.queue.question, sheet.number
    first = _prefilled(sheet)
    count = len(sheet.queue.students)
    return render(
        "mark.html", script="mark.js", style="code.css mark.css", posts=True,
        root=root,
        here=f"{root}{sheet.queue.assignment}/{question.id}/",
        sheet=sheet,
        question=question,
        count=count,
        number=number,
        before=number - 1 or count,
        after=number % count + 1,
        progress=desk.progress(sheet.queue),
        who=(desk.names.get(sheet.student) or sheet.student) if named else "",
        answer=sheet.answer,
        pieces=list(_pieces(sheet.answer.pieces)) if sheet.answer else [],
        items=list(_items(question, first)),
        besides=f"{first.points:g}" if first and first.points else "",
        comment=escape(first.comment) if first else "",  # as it was, to be saved again
        heads=",".join(digest(one) for one in sheet.heads),
        marks=[_shown(question, one) for one in sheet.heads],
        disagree=sheet.now.waits == CONFLICT,
        changed=sheet.now.waits == CHANGED,
        undo=desk.can_undo,
        notice=notice,
    )  # fmt: skip


def whole_page(sheet: Sheet, root: str) -> str:
    """Return all that was handed in with an answer."""
    question = sheet.queue.question
    return render(
        "mark_whole.html", style="code.css mark.css", posts=True,
        here=f"{root}{sheet.queue.assignment}/{question.id}/",
        question=question, number=sheet.number, refused=sheet.handed.refused,
        pieces=list(_pieces(sheet.handed.whole[:MOST_CELLS])),
        more=max(0, len(sheet.handed.whole) - MOST_CELLS),
    )  # fmt: skip


def _prefilled(sheet: Sheet) -> Mark | None:
    """The mark that the form begins with: the one in force, or that of the answer before this."""
    mark = sheet.heads[0] if sheet.heads else sheet.earlier
    return None if mark is None or mark.withdrawn else mark


def _items(question: Question, mark: Mark | None) -> Iterator[Item]:
    for place, one in enumerate(question.rubric):
        yield Item(
            id=one.id,
            text=one.text,
            worth=signed(one.points),
            points=one.points,
            key=KEYS[place : place + 1],
            chosen=mark is not None and one.id in mark.rubric,
        )


def _shown(question: Question, mark: Mark) -> Shown:
    texts = {one.id: one for one in question.rubric}
    lines = [
        f"{signed(texts[name].points)}: {texts[name].text}"
        if name in texts
        else f"{name}: an item of the rubric that is gone"
        for name in mark.rubric
    ]
    if mark.points:
        lines.append(f"{signed(mark.points)} besides")
    return Shown(
        by=mark.by or "somebody",
        at=mark.at[:16].replace("T", " "),
        points=points(points_of(question, mark)),
        lines=tuple(lines),
        comment=mark.comment,
        withdrawn=mark.withdrawn,
    )


def _pieces(pieces: Sequence[Piece]) -> Iterator[ShownPiece]:
    for piece in pieces:
        text = shortened(piece.text, MOST_CHARACTERS)
        if piece.kind == CODE:
            yield ShownPiece("", highlighted(text), piece.pictures)
        else:
            yield ShownPiece(printable(text) or " ", (), piece.pictures)
