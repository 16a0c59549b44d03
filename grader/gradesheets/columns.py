"""Where the score goes in a platform's sheet; who stands where is known to `people.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from grader.errors import UsageError
from grader.gradebook import AssignmentReport
from grader.gradesheets import moodle
from grader.gradesheets.people import BLACKBOARD_GRADE, ID_HEADS, People, find_columns, read_people
from grader.gradesheets.sheet import Sheet
from grader.model import Value
from grader.names import identity
from grader.text import one_line

_CANVAS_TITLE = re.compile(r"(?P<title>.*\S)\s+\((\d+)\)")
# Brightspace: `Embeddings Points Grade <Numeric MaxPoints:15 Weight:10>`, in the user's language
_BRIGHTSPACE_GRADE = re.compile(r"(?P<title>.*\S)\s*<[^<>:]*:\s*(?P<most>\d+(?:[.,]\d+)?)[^<>]*>")
_FIRST_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")

LACKING = {
    "canvas": "the columns ID and Section",
    "moodle": "participants' numbers in the first column",
    "gradescope": "a column SID",
    "blackboard": "columns whose headings end in [… points …] |NUMBER",
    "brightspace": "the column OrgDefinedId, or the End-of-Line Indicator",
    "csv": f"one of the columns {', '.join(ID_HEADS)}",
}


class Layout(Value, frozen=True):
    """Where things are in a sheet: its people, and the column of scores.

    The points possible stand in a row, a column, or the heading, which says `maximum`.
    """

    people: People
    grade: int
    maximum: float | None = None
    maximum_row: int | None = None
    maximum_column: int | None = None


def layout(
    platform: str, sheet: Sheet, assignment: AssignmentReport, where: str, column: str | None
) -> Layout:
    """Find the columns.

    Args:
        platform: one of PLATFORMS.
        sheet: the sheet; its first row holds the headings.
        assignment: whose scores go in.
        where: what to call the sheet in an error.
        column: the heading of the column to fill, if it is not to be found by itself.

    Raises:
        UsageError: the sheet is none of this platform, or the column can't be told.
    """
    columns = find_columns(sheet, platform)
    if columns is None:
        raise UsageError(
            f"this is no sheet for --to {platform}: it lacks {LACKING[platform]}",
            where=where,
            hint="download it from the platform again, as CSV",
        )
    people = read_people(sheet, where, platform)
    heads = [head.strip() for head in sheet.rows[0]]
    titles = {identity(assignment.id), identity(assignment.title)}
    grade = _one(_GRADES[platform](sheet, heads, titles), heads, where, column)
    return Layout(
        people=people,
        grade=grade,
        maximum=_maximum_in(heads[grade], platform),
        maximum_row=_maximum_row(sheet, people, grade) if platform == "canvas" else None,
        maximum_column=_maximum_column(heads, grade, platform),
    )


def _canvas(_: Sheet, heads: Sequence[str], titles: set[str]) -> list[int]:
    last = max((n for n, head in enumerate(heads) if head.casefold() == "section"), default=0)
    return [n for n in _titled(_CANVAS_TITLE, heads, titles) if n > last]


def _moodle(sheet: Sheet, _: Sequence[str], __: set[str]) -> list[int]:
    found = moodle.find_grade(sheet)
    return [] if found is None else [found]


def _gradescope(_: Sheet, heads: Sequence[str], titles: set[str]) -> list[int]:
    """One assignment's scores, or those of the whole course."""
    found = [n for n, head in enumerate(heads) if identity(head) in titles]
    return found or [n for n, head in enumerate(heads) if head.casefold() == "total score"]


def _blackboard(_: Sheet, heads: Sequence[str], titles: set[str]) -> list[int]:
    return _titled(BLACKBOARD_GRADE, heads, titles)


def _brightspace(_: Sheet, heads: Sequence[str], titles: set[str]) -> list[int]:
    """Columns named after the title and a kind of grade, which depends on the language.

    "Blocks Points Grade" is that of Blocks, "Blocks 2 Points Grade" is not: fewest words win.
    """
    words = {}
    for place, head in enumerate(heads):
        match = _BRIGHTSPACE_GRADE.fullmatch(head)
        named = identity(match["title"]) if match else ""
        more = [named[len(one) :] for one in titles if named.startswith(f"{one} ") or named == one]
        if more:
            words[place] = min(len(rest.split()) for rest in more)
    return [place for place, count in words.items() if count == min(words.values())]


def _plain(_: Sheet, heads: Sequence[str], titles: set[str]) -> list[int]:
    return [place for place, head in enumerate(heads) if identity(head) in titles]


_GRADES: dict[str, Callable[[Sheet, Sequence[str], set[str]], list[int]]] = {
    "canvas": _canvas,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "blackboard": _blackboard,
    "brightspace": _brightspace,
    "csv": _plain,
}


def _titled(form: re.Pattern[str], heads: Sequence[str], titles: set[str]) -> list[int]:
    matches = ((place, form.fullmatch(head)) for place, head in enumerate(heads))
    return [place for place, match in matches if match and identity(match["title"]) in titles]


def _maximum_in(head: str, platform: str) -> float | None:
    """The points possible that a heading says."""
    text = ""
    if platform == "blackboard" and (match := BLACKBOARD_GRADE.fullmatch(head)):
        found = _FIRST_NUMBER.search(match["about"])
        text = found[0] if found else ""
    elif platform == "brightspace" and (match := _BRIGHTSPACE_GRADE.fullmatch(head)):
        text = match["most"]
    return moodle.value(text) if text else None


def _maximum_row(sheet: Sheet, people: People, grade: int) -> int | None:
    """The row above all people that has a number there, whatever it is called."""
    first = people.rows[0] if people.rows else len(sheet.rows)
    cells = ((n, "".join(sheet.rows[n][grade : grade + 1]).strip()) for n in range(1, first))
    return next((n for n, cell in cells if _FIRST_NUMBER.fullmatch(cell)), None)


def _maximum_column(heads: Sequence[str], grade: int, platform: str) -> int | None:
    if platform == "moodle":
        return grade + 1 if grade + 1 < len(heads) else None
    if platform == "gradescope":
        wanted = (identity(f"{heads[grade]} - max points"), "max points")
        return next((n for n, head in enumerate(heads) if identity(head) in wanted), None)
    return None


def _one(found: Sequence[int], heads: Sequence[str], where: str, column: str | None) -> int:
    if column is not None:
        found = [place for place, head in enumerate(heads) if head == column.strip()]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(f"'{one_line(head)[:60]}'" for head in heads if head)
    raise UsageError(
        "several columns could be meant" if found else "no column for these scores",
        where=where,
        hint=f"name one with --column: {shown}",
    )
