"""The gradebook that an output folder holds already, for a run that is about some of a class."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.config.course import Course
from grader.errors import UsageError
from grader.gradebook import SCHEMA_VERSION, Gradebook
from grader.serialization import from_json
from grader.store.fingerprint import graded_with, suite_digests
from grader.store.output import GRADEBOOK
from grader.text import one_line


def read_standing(folder: Path, course: Course) -> Gradebook | None:
    """Return the scores that a run leaves as they are; None if there are none yet.

    Raises:
        UsageError: they can't be read, or are another course's: nothing may be lost by grading.
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
    if found.schema_version != SCHEMA_VERSION:
        raise _unreadable(path, f"schema version {found.schema_version}")
    if found.course != course.id:
        raise UsageError(
            f"this folder holds the scores of another course, `{one_line(found.course)}`",
            where=str(folder),
            hint="choose another folder with `--output`, where nothing is lost",
        )
    return found


def _unreadable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"the scores that are to stand can't be read ({reason})",
        where=str(path),
        hint="grade everybody, without --only and -a, or choose another folder with `--output`",
    )


def graded_with_now(course: Course, before: Gradebook, new: Gradebook) -> dict[str, str]:
    """What a score would be given with today, by assignment, for all that the course still has."""
    known = {assignment.id for assignment in course.assignments}
    others = [one.id for one in before.assignments if one.id in known - new.run.graded_with.keys()]
    digests = suite_digests(course, others) if others else {}
    return new.run.graded_with | {name: graded_with(digests[name]) for name in others}
