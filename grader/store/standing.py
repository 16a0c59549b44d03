"""The gradebook that an output folder holds already, for a run that is about some of a class."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from grader.config.course import Course
from grader.errors import UsageError
from grader.gradebook import READABLE, Gradebook, Regrade
from grader.serialization import from_json
from grader.store import printed
from grader.store.fingerprint import graded_with, suite_digests
from grader.store.output import GRADEBOOK, write_atomically
from grader.text import one_line

ELSEWHERE = "choose another folder with `--output`, where nothing is lost"


def read_standing(folder: Path, course: Course, checks: tuple[str, ...] = ()) -> Gradebook | None:
    """Return the scores that a run leaves as they are; None if there are none yet.

    Args:
        folder: the output folder.
        course: what is graded.
        checks: the checks that the run is about, as they were asked for; all if empty.

    Raises:
        UsageError: they can't be read, or are another course's, or of other checks: nothing may be
            lost by grading.
    """
    path = folder / GRADEBOOK
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, (error.strerror or type(error).__name__).lower()) from None
    try:
        found = from_json(content, Gradebook)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unreadable(path, one_line(str(error))) from None
    if found.schema_version not in READABLE:
        raise _unreadable(path, f"schema version {found.schema_version}")
    if found.course != course.id:
        raise UsageError(
            f"this folder holds the scores of another course, `{one_line(found.course)}`",
            where=str(folder),
            hint=ELSEWHERE,
        )
    if found.only_checks != checks:
        raise UsageError(
            f"this folder holds the scores {_of_checks(found.only_checks)}",
            where=str(folder),
            hint=ELSEWHERE,
        )
    return printed.restore(found, folder)


def read_regrades(folder: Path, course: Course) -> tuple[Regrade, ...]:
    """Return the log of regradings, which a run about everybody keeps; empty if there is none."""
    try:
        found = read_standing(folder, course)
    except UsageError:  # scores that can't be read, or another course's, are written over
        return ()
    return () if found is None else found.regrades


def keep_former(folder: Path, at: datetime, mode: int) -> Path:
    """Copy the gradebook of a folder, as it is, under a name with this date; return the copy.

    Raises:
        GraderError: it can't be written.
    """
    stem = f"gradebook-before-{at:%Y-%m-%dT%H.%M.%SZ}"
    path = folder / f"{stem}.json"
    for number in itertools.count(2):
        if not path.exists():
            break
        path = folder / f"{stem}-{number}.json"
    write_atomically(path, (folder / GRADEBOOK).read_bytes(), mode=mode)
    return path


def _of_checks(checks: tuple[str, ...]) -> str:
    return f"of these checks alone: {one_line(', '.join(checks))}" if checks else "of all checks"


def require_place_for(checks: tuple[str, ...], folder: Path) -> None:
    """Make sure that scores of some checks alone take the place of no others.

    Raises:
        UsageError: the folder holds scores of all checks, or what nobody can read.
    """
    path = folder / GRADEBOOK
    if not checks or not path.exists():
        return
    try:
        stands = from_json(path.read_bytes(), Gradebook).only_checks
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        stands = ()
    if not stands:
        raise UsageError(
            "this folder holds the scores of all checks, and those of some are not to replace them",
            where=str(folder),
            hint=ELSEWHERE,
        )


def _unreadable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"the scores that are to stand can't be read ({reason})",
        where=str(path),
        hint="grade everybody, without --only and -a, or choose another folder with `--output`",
    )


def graded_with_now(course: Course, before: Gradebook, new: Gradebook) -> dict[str, str]:
    """What a score would be given with today, by assignment, for all that the course still has."""
    others = [one.id for one in before.assignments if one.id not in new.run.graded_with]
    return new.run.graded_with | would_grade_with(course, others)


def would_grade_with(course: Course, assignments: Iterable[str]) -> dict[str, str]:
    """What scores would be given with today, in those assignments that the course still has."""
    known = {assignment.id for assignment in course.assignments}
    asked = [name for name in assignments if name in known]
    digests = suite_digests(course, asked) if asked else {}
    return {name: graded_with(digest) for name, digest in digests.items()}
