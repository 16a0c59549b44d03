"""Everyone in a course, from any CSV with a column of ids, logins or e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from grader.errors import UsageError
from grader.gradesheets.cells import Sheet
from grader.gradesheets.sheets import KEYS
from grader.model import Problem, Value
from grader.reports.text import one_line

_NUMBERED = re.compile(r".+_(\d+)")


class Roster(Value, frozen=True):
    """What each person goes by, the name to use first."""

    people: tuple[tuple[str, ...], ...]

    def unseen(self, students: Iterable[str]) -> tuple[str, ...]:
        """Who of the roster is not among these students."""
        seen = {name for student in students for name in known_as(student)}
        return tuple(
            names[0] for names in self.people if not any(n.casefold() in seen for n in names)
        )

    def strangers(self, students: Iterable[str]) -> tuple[Problem, ...]:
        """Report who of these students is not in the roster."""
        known = {name.casefold() for names in self.people for name in names}
        return tuple(
            Problem(
                kind="not-in-roster",
                message="not in the roster",
                where=one_line(student),
                student=student,
            )
            for student in students
            if not known & known_as(student)
        )


def read_roster(path: Path) -> Roster:
    """Read a roster: the grade sheet of a platform, or any table with such a column.

    Raises:
        UsageError: it can't be read, or has no column that says who is who.
    """
    sheet = Sheet.read(path)
    heads = [head.strip().casefold() for head in sheet.rows[0]] if sheet.rows else []
    columns = [heads.index(name) for name in KEYS if name in heads]
    if not columns:
        raise UsageError(
            "the roster has no column of ids, logins or e-mail addresses",
            where=str(path),
            hint=f"its first line must name one of: {', '.join(KEYS)}",
        )
    people = []
    for row in sheet.rows[1:]:
        names = tuple(row[n].strip() for n in columns if len(row) > n and row[n].strip())
        if names:
            people.append(names)
    return Roster(people=tuple(people))


def known_as(student: str) -> set[str]:
    """What a student may be called in a roster; NAME_ID of a download is known by the id too."""
    name = student.strip().casefold()
    numbered = _NUMBERED.fullmatch(name)
    return {name, numbered[1]} if numbered else {name}
