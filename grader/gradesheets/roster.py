"""Everyone in a course, read from a platform's grade sheet or any table that says who is who."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.gradesheets.people import read_people
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Roster


def read_roster(path: Path) -> Roster:
    """Read a roster: the very sheet that `grader export` fills, or any table of people.

    Raises:
        UsageError: it can't be read, or has no column that says who is who.
    """
    roster = read_people(Sheet.read(path), str(path)).roster
    # nbgrader's export has a line for each assignment
    return msgspec.structs.replace(roster, people=tuple(dict.fromkeys(roster.people)))
