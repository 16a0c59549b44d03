"""When work was handed in, and when it is due for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, timedelta
from pathlib import Path

import msgspec

from grader.config.course import Course
from grader.config.policy import Due
from grader.errors import UsageError
from grader.intake.roster import Aliases, Roster
from grader.model import Moment, Problem, ProblemKind, Submission, Value
from grader.names import identity
from grader.scoring.lateness import DAY
from grader.text import one_line
from grader.times import from_wall_clock


class Row(Value, frozen=True):
    """A line about one student: for one assignment, or for all."""

    names: frozenset[str]
    assignment: str | None
    line: int
    at: Moment | None = None
    days: int = 0
    hours: float = 0.0
    file: str = ""


def _by_name(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        for name in row.names:
            found.setdefault(name, []).append(row)
    return found


def _about(names: Iterable[str], assignment: str, rows: Mapping[str, list[Row]]) -> list[Row]:
    """The lines about a student's work for an assignment, in their order.

    Args:
        names: what the student may be called.
        assignment: the work.
        rows: all lines, by each name in them.
    """
    lines = {row.line: row for name in names for row in rows.get(name, ())}
    return [lines[n] for n in sorted(lines) if lines[n].assignment in (None, assignment)]


class Times(Value, frozen=True):
    """When submissions came, as `--submitted-at` tells. `roster` connects what people go by."""

    path: str
    rows: tuple[Row, ...]
    by_assignment: bool
    roster: Roster | None = None

    def told(self, submissions: Sequence[Submission]) -> tuple[Submission, ...]:
        """Give submissions the times of this table, which come before all others.

        A line that names no file is about the latest attempt.

        Raises:
            UsageError: it can't be told which time is meant.
        """
        if not self.by_assignment and len({one.assignment for one in submissions}) > 1:
            raise UsageError(
                "the times are for one assignment, but several are graded",
                where=self.path,
                hint="add a column `assignment`, or choose one with -a",
            )
        rows, aliases = _by_name(self.rows), Aliases(self.roster)
        latest: dict[tuple[str, str], int] = {}
        for one in submissions:
            key = one.student, one.assignment
            latest[key] = max(latest.get(key, 0), one.attempt)
        return tuple(
            self._told(
                one,
                _about(aliases.known_as(one.student), one.assignment, rows),
                is_latest=one.attempt == latest[one.student, one.assignment],
            )
            for one in submissions
        )

    def _told(self, one: Submission, candidates: list[Row], *, is_latest: bool) -> Submission:
        named = [row for row in candidates if row.file == identity(one.name)]
        found = named or [row for row in candidates if not row.file and is_latest]
        if len({row.at for row in found}) > 1:
            raise UsageError(
                f"two times for {one_line(one.student)} in {one.assignment}",
                where=f"{self.path}: lines {', '.join(str(row.line) for row in found)}",
                hint="keep one of them, or add a column `file`",
            )
        if not found or found[0].at is None:
            return one
        return msgspec.structs.replace(
            one, submitted_at=found[0].at, time_from=Path(self.path).name
        )


class Extensions(Value, frozen=True):
    """Who has longer than the others. `roster` connects what people go by.

    `elsewhere` reports what is of no assignment here.
    """

    path: str
    rows: tuple[Row, ...]
    elsewhere: tuple[Problem, ...] = ()
    roster: Roster | None = None

    def unused(self, students: Iterable[str]) -> tuple[Problem, ...]:
        """Report extensions that help nobody: a student's or an assignment's name may be mistyped.

        Args:
            students: everybody who was seen.
        """
        aliases = Aliases(self.roster)
        seen = {name for student in students for name in aliases.known_as(student)}
        return (
            tuple(
                Problem(
                    kind=ProblemKind.EXTENSION,
                    message="an extension is for nobody who was seen here",
                    where=f"{Path(self.path).name}:{row.line}",
                    hint=f"nobody is called {one_line(', '.join(sorted(row.names)))}",
                )
                for row in self.rows
                if not row.names & seen
            )
            + self.elsewhere
        )


def deadlines(course: Course, extensions: Extensions | None) -> Callable[[str, str], Due | None]:
    """Return what tells when an assignment is due for a student."""
    regular = {one.id: one.due for one in course.assignments if one.due}
    rows = _by_name(extensions.rows if extensions else ())
    aliases = Aliases(extensions.roster if extensions else None)

    def due(student: str, assignment: str) -> Due | None:
        usual = regular.get(assignment)
        if usual is None:
            return None
        concerned = _about(aliases.known_as(student), assignment, rows)
        special = [row for row in concerned if row.assignment] or concerned
        until = max([usual, *(_until(row, usual) for row in special)])
        return Due(at=until, regular=usual if until > usual else None)

    return due


def _until(row: Row, usual: Moment) -> Moment:
    zone = usual.tzinfo
    assert zone is not None  # a due date always has one
    longer = from_wall_clock(usual.replace(tzinfo=None) + row.days * DAY, zone)
    longer = (longer.astimezone(UTC) + timedelta(hours=row.hours)).astimezone(zone)
    return longer if row.at is None else max(longer, row.at.astimezone(zone))
