"""Who handed in when, and who has longer: tables that an instructor keeps, in CSV.

    student,assignment,submitted_at              student,assignment,until,days
    anna,blocks,2026-03-01 23:59+01:00           anna,blocks,2026-03-08 23:59,
    bo@example.org,blocks,2026-03-02 00:04Z      bo@example.org,,,2

Students are found as in a roster: by id, login or e-mail address. A time without a zone is one of
the course's zone; in nbgrader's export it is UTC, which is what nbgrader keeps.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from grader.config.course import AssignmentConfig, Course
from grader.errors import UsageError
from grader.gradesheets.people import People, read_people
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Roster, folded_id
from grader.model import Moment, Problem, ProblemKind
from grader.names import identity
from grader.scoring.deadlines import Extensions, Row, Times
from grader.text import one_line
from grader.times import NoZoneError, parse_time

# our own; Gradescope, nbgrader, Moodle
_TIME = ("submitted at", "submission time", "timestamp", "last modified (submission)")
_NOTHING = frozenset({"", "-", "none"})
_OF_NBGRADER = frozenset({"timestamp", "duedate", "raw score"})
"""Headings that nbgrader's export has, and no table of one's own has all of."""


def read_times(path: Path, course: Course, roster: Roster | None = None) -> Times:
    """Read a table of submission times: our own, nbgrader's, or a sheet that has such a column.

    Args:
        path: the table.
        course: whose assignments they are of.
        roster: connects what people go by.

    Raises:
        UsageError: it can't be read, or holds what is no time.
    """
    table = _Table(path, course)
    column = table.column(_TIME)
    if column is None:
        raise table.wrong("it has no column with times", f"one of {', '.join(_TIME)}")
    rows = [
        table.row(number, cells, at=table.time(number, text))
        for number, cells in table.lines()
        if (text := table.cell(cells, column)).casefold() not in _NOTHING
    ]
    known = tuple(row for row in rows if row is not None)
    if table.unknown and not known:
        raise UsageError(
            "no line is about an assignment of this course",
            where=str(path),
            hint=f"it names {one_line(', '.join(table.unknown))}; {table.called}",
        )
    return Times(
        path=str(path),
        rows=known,
        by_assignment=table.assignment is not None,
        roster=roster,
    )


def read_extensions(
    path: Path, course: Course, roster: Roster | None = None, *, narrowed: bool = False
) -> Extensions:
    """Read a table of extensions.

    Args:
        path: the table.
        course: whose assignments they are of.
        roster: connects what people go by.
        narrowed: whether the course has more assignments elsewhere, so that a name that is unknown
            here is nothing to report.

    Raises:
        UsageError: it can't be read, or says what is no extension.
    """
    table = _Table(path, course, narrowed=narrowed)
    until, days, hours = (
        table.column(names) for names in (("until", "due", "due date"), ("days",), ("hours",))
    )
    if until is None and days is None and hours is None:
        raise table.wrong("it does not say how long", "`until`, `days` or `hours`")
    rows = []
    for number, cells in table.lines():
        text = table.cell(cells, until)
        moment = None if text.casefold() in _NOTHING else table.time(number, text)
        row = table.row(number, cells, at=moment)
        if row is not None:
            row = msgspec.structs.replace(
                row,
                days=int(table.number(number, table.cell(cells, days), "days")),
                hours=table.number(number, table.cell(cells, hours), "hours"),
            )
            _must_be_longer(row, course, f"{path}:{number}")
            rows.append(row)
    return Extensions(path=str(path), rows=tuple(rows), elsewhere=table.elsewhere(), roster=roster)


def _must_be_longer(row: Row, course: Course, where: str) -> None:
    if row.at is None and not row.days and not row.hours:
        raise UsageError(
            "this extension does not say how long", where=where, hint="give `until`, or `days`"
        )
    due = course.assignment(row.assignment).due if row.assignment else None
    if due and row.at is not None and row.at < due:
        raise UsageError("this extension ends before the assignment is due", where=where)


class _Table:
    """A CSV file with one line for each student, or student and assignment."""

    def __init__(self, path: Path, course: Course, *, narrowed: bool = False) -> None:
        self.path = path
        self._narrowed = narrowed
        self._course = course
        self._sheet = Sheet.read(path)
        heads = self._sheet.rows[0] if self._sheet.rows else []
        self._heads = [identity(head).strip().replace("_", " ") for head in heads]
        self._zone = "UTC" if _OF_NBGRADER.issubset(self._heads) else course.timezone
        self._people: People = read_people(self._sheet, str(path))
        self._names = dict(zip(self._people.rows, self._people.people, strict=True))
        self.assignment = self.column(("assignment",))
        self._file = self.column(("file",))
        self.unknown: dict[str, list[int]] = {}
        self.called = f"assignments are called {', '.join(one.id for one in course.assignments)}"

    def column(self, names: Iterable[str]) -> int | None:
        """Return the first column of these that is there."""
        return next((self._heads.index(name) for name in names if name in self._heads), None)

    def lines(self) -> Iterable[tuple[int, list[str]]]:
        """Return the rows of people, counted as lines are."""
        return ((place + 1, self._sheet.rows[place]) for place in self._people.rows)

    @staticmethod
    def cell(cells: Sequence[str], column: int | None) -> str:
        """Return what a row says there; nothing if it is too short."""
        return cells[column].strip() if column is not None and len(cells) > column else ""

    def row(self, number: int, cells: Sequence[str], *, at: Moment | None) -> Row | None:
        """Return a line; None if it is about nobody, or about another course's assignment."""
        person = self._names.get(number - 1)
        names = {folded_id(name) for name in person.known_ids} - _NOTHING if person else set()
        title = self.cell(cells, self.assignment)
        assignment = self._known(title, number) if title else None
        if title and assignment is None:
            self.unknown.setdefault(title, []).append(number)
            return None
        if not names:
            return None
        file = identity(self.cell(cells, self._file))
        return Row(
            names=frozenset(names),
            assignment=assignment,
            line=number,
            at=at,
            file=file,
        )

    def _known(self, title: str, number: int) -> str | None:
        names = {name: one.id for one in self._course.assignments for name in _names(one)}
        found = names.get(identity(title))
        near = difflib.get_close_matches(identity(title), names, n=1)
        if found is None and near and not self._narrowed:
            raise UsageError(
                f"no assignment is called `{one_line(title)}`",
                where=f"{self.path}:{number}",
                hint=f"did you mean `{names[near[0]]}`?",
            )
        return found

    def elsewhere(self) -> tuple[Problem, ...]:
        """Report extensions of assignments that this course does not have, once for each."""
        return tuple(
            Problem(
                kind=ProblemKind.EXTENSION,
                message=f"an extension is for `{one_line(title)}`, which is no assignment here",
                where=f"{self.path.name}:{', '.join(map(str, lines))}",
                hint=self.called,
            )
            for title, lines in self.unknown.items()
            if not self._narrowed
        )

    def time(self, number: int, text: str) -> Moment:
        """Read a moment.

        Raises:
            UsageError: it is none.
        """
        try:
            return parse_time(text, self._zone)
        except NoZoneError:
            hint = 'add `timezone = "Europe/Berlin"` (yours) to [tool.grader], or offsets (+01:00)'
            message = f"'{one_line(text)}' names no time zone"
        except ValueError:
            hint = "write it as 2026-03-01 23:59"
            message = f"'{one_line(text)}' is no date with a time"
        raise UsageError(message, where=f"{self.path}:{number}", hint=hint)

    def number(self, line: int, text: str, unit: str) -> float:
        """Read a number of days or hours; an empty cell is none.

        Raises:
            UsageError: it is no number that could be meant.
        """
        pattern = r"\d{1,4}" if unit == "days" else r"\d{1,4}(\.\d+)?"
        if text and not re.fullmatch(pattern, text):
            whole = "whole " if unit == "days" else ""
            raise UsageError(
                f"'{one_line(text)}' is no {whole}number of {unit}", where=f"{self.path}:{line}"
            )
        return float(text or 0)

    def wrong(self, message: str, lacking: str) -> UsageError:
        """Return the error of a table that lacks a column."""
        return UsageError(message, where=str(self.path), hint=f"its first line must name {lacking}")


def _names(assignment: AssignmentConfig) -> set[str]:
    return {identity(name) for name in (assignment.id, assignment.title, *assignment.aliases)}
