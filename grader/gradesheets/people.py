"""How people are named in the tables of learning platforms: which columns say who is who.

| table | told by | ids, in this order |
| --- | --- | --- |
| Canvas | headings ID and Section | ID, SIS User ID, SIS Login ID, Integration ID |
| Moodle | its shape: `moodle.py` | the participant's number, whatever identifies, e-mail |
| Gradescope | a heading SID | SID, e-mail |
| Blackboard | headings that end in `|NUMBER` | username, student id |
| Brightspace | `#` before ids, OrgDefinedId | OrgDefinedId, username, e-mail |
| any other, Canvas's People | a heading of `ID_HEADS` | in the order of `ID_HEADS`, e-mail |

Everything that reads such a table asks here: rosters, grade sheets, times, extensions, nbgrader's
names. Rows that are no person are none: points possible, test students, section and end marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from grader.errors import UsageError
from grader.gradesheets import moodle
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Person, Roster
from grader.model import Value
from grader.names import identity
from grader.text import one_line

PLATFORMS = ("canvas", "moodle", "gradescope", "blackboard", "brightspace", "csv")

CANVAS_IDS = ("id", "sisuserid", "sisloginid", "integrationid")
ID_HEADS = (
    "canvas user id", "id", "student id", "sis user id", "sis login id", "student", "login",
    "username", "user", "email", "email address", "sid", "student number", "id number",
    "matriculation number", "matrikelnummer", "org defined id", "login id", "net id", "identifier",
    "github username", "user id", "participant number", "mail",
)  # fmt: skip
"""Headings of a table of one's own; upper case, spaces and punctuation don't matter."""

_FIRST = ("firstname", "givenname", "forename", "vorname", "prénom", "nombre")
_LAST = ("lastname", "surname", "familyname", "nachname", "nom", "apellidos")
_FULL = ("name", "fullname", "studentname", "displayname")
_MAIL = ("email", "emailaddress", "mail")
_ROLES_OF_NO_STUDENT = frozenset({"instructor", "ta", "teacher", "reader", "grader", "observer"})

BLACKBOARD_GRADE = re.compile(r"(?P<title>.*?)\s*\[(?P<about>[^\]]*)\]\s*\|\s*\d+", re.S)
_ROUNDED_BY_EXCEL = re.compile(r"-?\d(?:[.,]\d+)?E\+\d+", re.I)
_TEST_LOGIN = re.compile(r"[0-9a-f]{40}")


class Columns(Value, frozen=True):
    """Where a table says who somebody is. `ids` and `email` are what they are found by.

    `number_after` is the word before a number in Moodle's first column.
    """

    platform: str
    ids: tuple[int, ...]
    name: int | None = None
    first: int | None = None
    last: int | None = None
    email: int | None = None
    number_after: str | None = None


class People(Value, frozen=True):
    """The people of a table, and in which row each stands, counted from 0 at the headings."""

    columns: Columns
    rows: tuple[int, ...]
    people: tuple[Person, ...]

    @property
    def roster(self) -> Roster:
        """Everyone in the table."""
        # Brightspace's downloads name people by a number that its sheets don't hold
        return Roster(
            people=self.people,
            ids_in_downloads=self.columns.platform != "brightspace",
            nameless=self.columns.number_after or "",
        )


def fold(head: str) -> str:
    """What a heading is compared as."""
    return re.sub(r"[\W_]+", "", identity(head))


def read_people(sheet: Sheet, where: str, platform: str | None = None) -> People:
    """Find out who is in a table.

    Args:
        sheet: the table; its first row holds the headings.
        where: what to call it in an error.
        platform: whose it is, one of PLATFORMS; told by its shape if not given.

    Raises:
        UsageError: no column says who is who, or a program has rounded somebody's id.
    """
    columns = find_columns(sheet, platform)
    if columns is None:
        raise UsageError(
            "no column of ids, logins or e-mail addresses says who is who",
            where=where,
            hint=f"its first line must name one of: {', '.join(ID_HEADS)}",
        )
    found = [
        (place, person)
        for place, row in enumerate(sheet.rows[1:], start=1)
        if (person := read_person(row, columns)) is not None and not _is_nobody(sheet, row, columns)
    ]
    for place, person in found:
        _refuse_rounded(place, person, where)
    return People(
        columns=columns,
        rows=tuple(place for place, _ in found),
        people=tuple(person for _, person in found),
    )


def find_columns(sheet: Sheet, platform: str | None = None) -> Columns | None:
    """Return where a table says who is who; None where it doesn't."""
    heads = [fold(head) for head in sheet.rows[0]] if sheet.rows else []
    if not heads:
        return None
    if platform is not None:
        return _FINDERS[platform](sheet, heads) or _LENIENT.get(platform, _FINDERS[platform])(
            sheet, heads
        )
    return next((found for find in _FINDERS.values() if (found := find(sheet, heads))), None)


def _canvas(sheet: Sheet, heads: Sequence[str]) -> Columns | None:
    if heads[0] not in ("student", "lastname", "firstname"):
        return None
    return _canvas_as_told(sheet, heads)


def _canvas_as_told(_: Sheet, heads: Sequence[str]) -> Columns | None:
    if "id" not in heads or "section" not in heads:
        return None
    return _by_head("canvas", heads, CANVAS_IDS, full=("student",))


def _gradescope(sheet: Sheet, heads: Sequence[str]) -> Columns | None:
    if "sid" not in heads:
        return None
    others = (fold(name) for name in ID_HEADS)
    return _with_mails(_by_head("gradescope", heads, ("sid", *_MAIL, *others)), sheet)


def _blackboard(sheet: Sheet, heads: Sequence[str]) -> Columns | None:
    grades = [n for n, head in enumerate(sheet.rows[0]) if BLACKBOARD_GRADE.fullmatch(head.strip())]
    if not grades or grades[0] < 3:
        return None
    known = _by_head("blackboard", heads, ("username", "studentid"))
    if len(known.ids) == 2:
        return known
    # in any language: last name, first name, username, student id, last access, …
    ids = tuple(n for n in (2, 3) if n < grades[0])
    return Columns(platform="blackboard", ids=ids, first=1, last=0)


def _brightspace(sheet: Sheet, heads: Sequence[str]) -> Columns | None:
    people = [row for row in sheet.rows[1:] if any(cell.strip(" #") for cell in row)]
    ended = bool(people) and all(row[-1].strip() == "#" for row in people)
    if "orgdefinedid" not in heads and not ended:
        return None
    marked = [
        n
        for n in range(len(heads))
        if any(row[n : n + 1] and len(row[n].strip()) > 1 for row in people)
        and all(row[n : n + 1] and row[n].startswith("#") for row in people)
    ]
    named = [heads.index(name) for name in ("orgdefinedid", "username") if name in heads]
    found = _by_head("brightspace", heads, ())
    return _with_mails(_replaced(found, ids=tuple(dict.fromkeys([*named, *marked]))), sheet)


def _moodle(sheet: Sheet, _: Sequence[str]) -> Columns | None:
    found = moodle.read_shape(sheet)
    if found is None:
        return None
    columns = Columns(
        platform="moodle", ids=found.ids, name=found.name, number_after=found.number_after
    )
    return _with_mails(columns, sheet, up_to=found.grade)


def _moodle_as_told(sheet: Sheet, heads: Sequence[str]) -> Columns | None:
    """Moodle's sheet when somebody says that it is one: its columns may have been rearranged."""
    after = moodle.common_prefix(sheet)
    if after is None or len(heads) < 4:
        return None
    return _with_mails(Columns(platform="moodle", ids=(0,), name=1, number_after=after), sheet)


def _plain(sheet: Sheet, heads: Sequence[str]) -> Columns | None:
    found = _with_mails(_by_head("csv", heads, tuple(fold(name) for name in ID_HEADS)), sheet)
    return found if found.ids else None


_FINDERS: dict[str, Callable[[Sheet, Sequence[str]], Columns | None]] = {
    "canvas": _canvas,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "blackboard": _blackboard,
    "brightspace": _brightspace,
    "csv": _plain,
}
_LENIENT = {"canvas": _canvas_as_told, "moodle": _moodle_as_told}
"""What makes do with less when somebody has said whose sheet it is."""


def _by_head(
    platform: str, heads: Sequence[str], ids: Sequence[str], full: Sequence[str] = _FULL
) -> Columns:
    return Columns(
        platform=platform,
        ids=tuple(dict.fromkeys(heads.index(name) for name in ids if name in heads)),
        name=_first_of(full, heads),
        first=_first_of(_FIRST, heads),
        last=_first_of(_LAST, heads),
        email=_first_of(_MAIL, heads),
    )


def _first_of(names: Collection[str], heads: Sequence[str]) -> int | None:
    return next((heads.index(name) for name in names if name in heads), None)


def _with_mails(columns: Columns, sheet: Sheet, up_to: int | None = None) -> Columns:
    """Add the columns of e-mail addresses, whatever they are called, as the last ids."""
    mails = [
        place
        for place in range(len(sheet.rows[0]) if up_to is None else up_to)
        if _are_mails([row[place].strip() for row in sheet.rows[1:] if len(row) > place])
    ]
    email = columns.email if columns.email is not None else next(iter(mails), None)
    return _replaced(columns, ids=tuple(dict.fromkeys([*columns.ids, *mails])), email=email)


def _are_mails(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip("#")]
    return bool(filled) and all(re.fullmatch(r"[^@\s]+@[^@\s]+", cell) for cell in filled)


def _replaced(columns: Columns, **changes: object) -> Columns:
    return msgspec.structs.replace(columns, **changes)


# ---------------------------------------------------------------- a row


def read_person(row: Sequence[str], columns: Columns) -> Person | None:
    """Return who stands in a row; None if nobody does."""
    ids = tuple(_id(_cell(row, place), columns, place) for place in columns.ids)
    if not any(ids):
        return None
    first, last, name = (_cell(row, n) for n in (columns.first, columns.last, columns.name))
    if not name and columns.platform == "csv":
        # a column `student` holds names here, logins there
        name = next((one for one in ids if re.search(r"[\s,]", one)), "")
    return Person(
        ids=ids,
        name=" ".join(filter(None, (first, last))) or spoken(name),
        first=first,
        last=last,
        email=_cell(row, columns.email).removeprefix("#"),
    )


def spoken(name: str) -> str:
    """A name as it is spoken: sheets sort people as "Last, First"."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() else name.strip()


def _cell(row: Sequence[str], place: int | None) -> str:
    if place is None or len(row) <= place:
        return ""
    # `="…"` and `'` keep a spreadsheet from taking an id for a number, a name for a formula
    text = row[place].strip()
    disarmed = re.fullmatch(r'="?(.*?)"?|\'(?=[-=+@])(.*)', text, re.S)
    return (disarmed[1] or disarmed[2] or "").strip() if disarmed else text


def _id(cell: str, columns: Columns, place: int) -> str:
    if columns.platform == "brightspace":
        return cell.removeprefix("#").strip()
    if columns.number_after is not None and place == 0:
        return moodle.number(cell, columns.number_after)
    return cell


def _is_nobody(sheet: Sheet, row: Sequence[str], columns: Columns) -> bool:
    """Whether a row of a platform is about no student, although it has an id."""
    heads = [fold(head) for head in sheet.rows[0]]
    if fold(row[0]) == "pointspossible":
        return True

    def said(*names: str) -> str:
        return _cell(row, _first_of(names, heads)).casefold()

    if columns.platform == "canvas":
        name = spoken(_cell(row, columns.name)).casefold() or f"{said(*_FIRST)} {said(*_LAST)}"
        unknown_to_sis = not said("sisuserid")
        testing = name == "test student" or _TEST_LOGIN.fullmatch(said("sisloginid"))
        return unknown_to_sis and bool(testing)
    if columns.platform == "blackboard":
        return any(one.casefold().endswith("_previewuser") for one in _ids(row, columns))
    if columns.platform == "gradescope":
        return said("role") in _ROLES_OF_NO_STUDENT
    return False


def _ids(row: Sequence[str], columns: Columns) -> Iterator[str]:
    return (_cell(row, place) for place in columns.ids)


def _refuse_rounded(place: int, person: Person, where: str) -> None:
    rounded = next((one for one in person.ids if _ROUNDED_BY_EXCEL.fullmatch(one)), None)
    if rounded is not None:
        raise UsageError(
            f"'{one_line(rounded)}' is no id any more: a spreadsheet program has rounded it"
            + (f" ({one_line(person.name)})" if person.name else ""),
            where=f"{where}: row {place + 1}",
            hint="download the table again, and give that program the column as text",
        )
