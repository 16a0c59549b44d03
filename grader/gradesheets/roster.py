"""Everyone in a course, read from any CSV with a column of ids, logins or e-mail addresses."""

from __future__ import annotations

from pathlib import Path

from grader.errors import UsageError
from grader.gradesheets.columns import KEYS
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Roster


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
