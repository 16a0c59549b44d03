"""What the columns of a platform's sheet are: who stands where, and where the score goes.

Nobody is found by name. A student's id in the gradebook is looked for in the columns of `keys`, in
their order: the platform's own id, the login, the e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.errors import UsageError
from grader.gradebook import AssignmentReport
from grader.gradesheets.sheet import Sheet
from grader.model import Value
from grader.text import one_line

PLATFORMS = ("canvas", "moodle", "csv")

_CANVAS_KEYS = ("id", "sis user id", "sis login id", "integration id")
_CANVAS_TITLE = re.compile(r"(.*\S)\s+\((\d+)\)")
_MOODLE_IDENTIFIER = re.compile(r"\D*?(\d+)")
# what Moodle calls these columns in languages that many courses use; `--column` names another
_MOODLE_GRADE = frozenset(
    {"grade", "bewertung", "note", "calificación", "valutazione", "voto", "cijfer", "nota",
     "ocena", "betyg", "arvosana", "karakter", "оценка", "成绩", "評点"}
)  # fmt: skip
_MOODLE_LOGIN = frozenset(
    {"username", "anmeldename", "nom d'utilisateur", "nombre de usuario", "gebruikersnaam"}
)
_MOODLE_NUMBER = frozenset(
    {"id number", "id-nummer", "matrikelnummer", "numéro d'identification", "número de id"}
)
# headings of a table of our own, or of Canvas: a plain sheet, a roster
KEYS = (
    "id", "student id", "sis user id", "sis login id", "student", "login", "username", "user",
    "email", "e-mail", "email address",
)  # fmt: skip


class Layout(Value, frozen=True):
    """Where things are in a sheet. `maximum` is a row or a column with the points possible."""

    students: tuple[int, ...]
    keys: tuple[int, ...]
    grade: int
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
    heads = [head.strip() for head in sheet.rows[0]] if sheet.rows else []
    folded = [head.casefold() for head in heads]
    if platform == "canvas":
        return _canvas(sheet, heads, folded, assignment, where, column)
    if platform == "moodle":
        return _moodle(sheet, heads, folded, where, column)
    keys = [folded.index(name) for name in KEYS if name in folded]
    if not keys:
        raise _wrong("csv", where, f"one of the columns {', '.join(KEYS)}")
    titles = {assignment.id.casefold(), assignment.title.casefold()}
    found = [place for place, head in enumerate(folded) if head in titles]
    return Layout(
        students=tuple(range(1, len(sheet.rows))),
        keys=tuple(keys),
        grade=_one(found, heads, where, column),
    )


def _canvas(
    sheet: Sheet,
    heads: Sequence[str],
    folded: Sequence[str],
    assignment: AssignmentReport,
    where: str,
    column: str | None,
) -> Layout:
    if "id" not in folded or "section" not in folded:
        raise _wrong("canvas", where, "the columns ID and Section")
    titles = {assignment.id.casefold(), assignment.title.casefold()}
    last = folded.index("section")
    found = [
        place
        for place, head in enumerate(heads)
        if place > last
        and (match := _CANVAS_TITLE.fullmatch(head))
        and match[1].casefold() in titles
    ]
    place = folded.index("id")
    rows = range(1, len(sheet.rows))
    possible = [
        row for row in rows if sheet.rows[row] and sheet.rows[row][0].strip() == "Points Possible"
    ]
    return Layout(
        students=tuple(
            row for row in rows if len(sheet.rows[row]) > place and sheet.rows[row][place].strip()
        ),
        keys=tuple(folded.index(name) for name in _CANVAS_KEYS if name in folded),
        grade=_one(found, heads, where, column),
        maximum_row=possible[0] if possible else None,
    )


def _moodle(
    sheet: Sheet, heads: Sequence[str], folded: Sequence[str], where: str, column: str | None
) -> Layout:
    students = tuple(
        row
        for row in range(1, len(sheet.rows))
        if _MOODLE_IDENTIFIER.fullmatch(sheet.rows[row][0].strip())
    )
    if not students or len(heads) < 4:
        raise _wrong("moodle", where, "participants' numbers in the first column")
    found = [place for place, head in enumerate(folded) if head in _MOODLE_GRADE]
    grade = _one(found, heads, where, column)
    logins = [n for n, head in enumerate(folded) if head in _MOODLE_NUMBER]
    logins += [n for n, head in enumerate(folded) if head in _MOODLE_LOGIN]
    emails = [n for n in range(2, grade) if _are_emails(sheet, students, n)]
    return Layout(
        students=students,
        keys=(0, *logins, *emails),
        grade=grade,
        maximum_column=grade + 1 if grade + 1 < len(heads) else None,
    )


def _are_emails(sheet: Sheet, students: Sequence[int], column: int) -> bool:
    values = [sheet.rows[row][column] for row in students if len(sheet.rows[row]) > column]
    return bool(values) and all("@" in value for value in values if value.strip())


def key(platform: str, column: int, value: str) -> str:
    """What a cell of a key column is compared as."""
    text = value.strip().removeprefix("=").strip('"').casefold()
    match = _MOODLE_IDENTIFIER.fullmatch(text)
    return match[1] if platform == "moodle" and column == 0 and match else text


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


def _wrong(platform: str, where: str, lacking: str) -> UsageError:
    return UsageError(
        f"this is no sheet for --to {platform}: {lacking} are missing"
        if platform == "canvas"
        else f"this is no sheet for --to {platform}: it lacks {lacking}",
        where=where,
        hint="download it from the platform again, as CSV",
    )
