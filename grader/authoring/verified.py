"""What the last `grader verify` said, kept so that a release can tell what has not passed.

    COURSE/.grader/verified.json

An entry belongs to the very content that was verified: to its checks, reference, data, lesson,
mutants, fakes and styles. Nothing is ever verified to find out.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from grader.authoring.cases import style_files
from grader.authoring.lessons import lesson_path
from grader.authoring.verify import Verification
from grader.config.course import Course
from grader.errors import GraderError
from grader.model import Value
from grader.store.fingerprint import suite_digests
from grader.store.output import write_atomically

NAME = ".grader/verified.json"


class Verified(Value, frozen=True):
    """What came of verifying an assignment, and whether the gate was strict."""

    content: str
    passed: bool
    strict: bool = False


def keep_verified(course: Course, result: Verification, *, strict: bool = False) -> None:
    """Keep what a whole gate has said; where the course can't be written to, nothing is kept."""
    known = _read(course)
    content = contents(course, [gate.assignment for gate in result.gates])
    for gate in result.gates:
        name = gate.assignment
        found = Verified(content[name], gate.passed, strict)
        stands = Verified(content[name], passed=True, strict=True)
        if known.get(name) != stands or not found.passed:
            known[name] = found
    data = msgspec.json.format(msgspec.json.encode(dict(sorted(known.items()))), indent=1)
    with contextlib.suppress(GraderError):
        write_atomically(course.root / NAME, data + b"\n", durable=False, mode=None)


def standing(course: Course, assignments: Iterable[str]) -> dict[str, str]:
    """Say of each assignment that has not passed as it stands why that is, by id."""
    known = _read(course)
    names = list(assignments)
    content = contents(course, names)
    said = {}
    for name in names:
        entry = known.get(name)
        run = f"run `grader verify -a {name}`"
        if entry is None:
            said[name] = f"was never verified: {run}"
        elif entry.content != content[name]:
            said[name] = f"is not verified since its last change: {run}"
        elif not entry.passed:
            said[name] = f"did not pass when it was verified as it stands: {run}"
        elif course.strict and not entry.strict:
            said[name] = f"passed, but not the strict gate that this course asks for: {run}"
    return said


def contents(course: Course, assignments: Iterable[str]) -> dict[str, str]:
    """SHA-256 over all that the gate looks at, by assignment id."""
    found = {}
    for name, suite in suite_digests(course, assignments).items():
        digest = hashlib.sha256(suite.encode())
        for path in _files(course, name):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(course.root)}:{len(content)}\n".encode())
            digest.update(content)
        found[name] = digest.hexdigest()
    return found


def _files(course: Course, assignment: str) -> Iterator[Path]:
    lesson = lesson_path(course, assignment)
    yield lesson
    folders = [lesson.with_suffix("")]
    folders += [place / assignment for place in (course.mutants, course.fakes) if place is not None]
    for folder in folders:
        yield from sorted(path for path in folder.glob("*") if path.suffix in (".toml", ".py"))
    yield from style_files(course, assignment)


def _read(course: Course) -> dict[str, Verified]:
    """What is kept; nothing of a file that is none of ours."""
    try:
        return msgspec.json.decode((course.root / NAME).read_bytes(), type=dict[str, Verified])
    except (OSError, msgspec.DecodeError):
        return {}
