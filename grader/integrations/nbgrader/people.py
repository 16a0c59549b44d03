"""What students are called: by the roster, or else by their accounts on this machine.

nbgrader's gradebook has names of its own. They stay; these go where it has none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from grader.gradesheets.people import read_people
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import folded_id, known_as
from grader.model import Value
from grader.text import one_line

MAX_CHARS = 128
"""Of a name; nbgrader's columns are that wide."""
FIRST_PEOPLE = 1_000
"""Lower user numbers are the system's own accounts, like `mail` and `games`."""
NOBODY = 65_534

# nbgrader writes names into its pages as they are
_MARKUP = str.maketrans(dict.fromkeys('<>&"'))


class SafeNames(Value, frozen=True):
    """A student's names, without anything that a page would take for markup."""

    first: str = ""
    last: str = ""
    email: str = ""


def full_name(name: str, email: str = "") -> SafeNames | None:
    """Take a name apart: "Last, First", or the last word is the last name; None if it is blank."""
    last, comma, first = name.partition(",")
    if not comma:
        first, _, last = " ".join(name.split()).rpartition(" ")
    return _person(first, last, email)


class Names:
    """Looks students up.

    Args:
        people: whom a roster knows, by everything that they go by, folded.
    """

    def __init__(self, people: Mapping[str, SafeNames] | None = None) -> None:
        self._people = people or {}

    def find(self, student: str) -> SafeNames | None:
        """Return what somebody is called, or None if nobody knows."""
        for name in sorted(known_as(student), key=len, reverse=True):
            if name in self._people:
                return self._people[name]
        return _account(student)


def read_names(path: Path) -> dict[str, SafeNames]:
    """Read a roster: a table with a column by which students are known, and names.

    Raises:
        UsageError: it can't be read, or does not say who is who.
    """
    people: dict[str, SafeNames] = {}
    for one in read_people(Sheet.read(path), str(path)).people:
        person = _person(one.first, one.last, one.email) or full_name(one.name, one.email)
        if person is not None:
            for name in one.known_ids:
                people.setdefault(folded_id(name), person)
    return people


def _person(first: str, last: str, email: str = "") -> SafeNames | None:
    first, last, email = map(_plain, (first, last, email))
    return SafeNames(first, last, email) if first or last else None


def _plain(name: str) -> str:
    name = name.encode("utf-8", "replace").decode()  # a sheet's bytes that are no text
    return one_line(name).translate(_MARKUP).strip()[:MAX_CHARS]


def _account(student: str) -> SafeNames | None:
    """What the machine's table of users says; whoever has the account can change it."""
    if os.name != "posix":
        return None
    import pwd

    try:
        entry = pwd.getpwnam(student)
    except (KeyError, ValueError, UnicodeError):
        return None
    name = entry.pw_gecos.split(",")[0]
    if not FIRST_PEOPLE <= entry.pw_uid < NOBODY or name.strip().casefold() == student.casefold():
        return None
    return full_name(name)
