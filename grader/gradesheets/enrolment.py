"""What a roster or grade sheet says of who is who: what people go by, and who is in which group."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from grader.gradesheets.people import Columns, find_columns, read_person
from grader.gradesheets.sheet import Sheet
from grader.intake.groups import NOBODY, Enrolled, Enrolment, folded

_GROUP_HEADS = frozenset(
    {
        "group", "groups", "groupname", "team", "teams", "teamname", "gruppe", "gruppen", "groupe",
        "groupes", "grupo", "grupos", "equipo", "équipe", "gruppo", "gruppi", "groep", "team名",
        "группа", "команда", "グループ", "チーム", "小组", "组", "그룹", "ομάδα",
    }
)  # fmt: skip
NUMBER_HEADS = ("canvasuserid", "id", "identifier", "userid", "participantnumber")
_NAME_HEADS = ("fullname", "name", "student", "studentname", "sortablename")
_FIRST, _LAST = ("firstname", "vorname", "prénom"), ("lastname", "surname", "nachname", "nom")
_NUMBER = re.compile(r"\D*(\d+)")
_SEVERAL = re.compile(r"[;|]")
MAX_SPOKEN = 20_000


def read_enrolment(path: Path | None) -> Enrolment:
    """Read how people are called, and who is in which group, from a table of them.

    Args:
        path: the table; None for none.

    Raises:
        UsageError: it can't be read.
    """
    if path is None:
        return NOBODY
    sheet = Sheet.read(path)
    if not sheet.rows:
        return NOBODY
    heads = [folded(head) for head in sheet.rows[0]]
    cells = (cell for row in sheet.rows[1:] for cell in row)
    spoken = {cell for cell in cells if not cell.isascii() and len(cell) > 1}
    # Moodle numbers people in its first column, whatever that is called in its language
    number = _first(heads, NUMBER_HEADS) or 0
    people = [
        Enrolled(number=found[1], name=name, groups=_groups(heads, row))
        for row in sheet.rows[1:]
        if (found := _NUMBER.fullmatch(_cell(row, number))) and (name := _name(heads, row))
    ]
    columns = find_columns(sheet)
    of_canvas = "canvasuserid" in heads or (columns is not None and columns.platform == "canvas")
    return Enrolment(
        people=tuple(people),
        spoken=tuple(sorted(spoken)[:MAX_SPOKEN]),
        ids=_ids(sheet, columns),
        of_canvas=of_canvas,
    )


def _ids(sheet: Sheet, columns: Columns | None) -> frozenset[str]:
    if columns is None:
        return frozenset()
    people = (read_person(row, columns) for row in sheet.rows[1:])
    return frozenset(one for person in people if person for one in person.known_ids)


def _first(heads: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((heads.index(one) for one in wanted if one in heads), None)


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _name(heads: Sequence[str], row: Sequence[str]) -> str:
    """Return what somebody is called; in Moodle's sheets that stands in the second column."""
    whole = _first(heads, _NAME_HEADS)
    if whole is not None:
        return _cell(row, whole)
    first, last = _first(heads, _FIRST), _first(heads, _LAST)
    if first is not None and last is not None:
        return f"{_cell(row, first)} {_cell(row, last)}".strip()
    return _cell(row, 1)


def _groups(heads: Sequence[str], row: Sequence[str]) -> tuple[str, ...]:
    cells = [_cell(row, place) for place, head in enumerate(heads) if head in _GROUP_HEADS]
    return tuple(one.strip() for cell in cells for one in _SEVERAL.split(cell) if one.strip())
