"""A course in one archive: what its suites, its reference and its submissions need, no more.

The same course always gives the same bytes. Students' names are in none of it: the table of
extensions, mutants, fakes and styles stay at home, and are empty in the archive.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from grader.config.course import Course
from grader.config.pyproject import PYPROJECT
from grader.errors import GraderFault, UsageError

MOST_BYTES = 64 << 20
"""A larger course does not travel: workers must see it where it is."""

EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(course: Course, most: int = MOST_BYTES) -> bytes | None:
    """Return a course's archive; None if it is larger than `most`.

    Raises:
        UsageError: a part of the course lies outside of its folder.
    """
    size = 0
    files: dict[str, Path | None] = {PYPROJECT: course.root / PYPROJECT}
    for place in _needed(course):
        files |= {_name(course, path): path for path in _below(place)}
    for place in _left_at_home(course):
        suffix = "" if place.is_file() else "/"
        files.setdefault(_name(course, place) + suffix, None)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in sorted(files.items()):
            content = b"" if path is None else path.read_bytes()
            size += len(content)
            if size > most:
                return None
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(archive: bytes, digest: str, folder: Path) -> None:
    """Put a course where nobody else can read it.

    Args:
        archive: its bytes.
        digest: their SHA-256.
        folder: an empty one, of mode 0700.

    Raises:
        GraderFault: these are other bytes. OSError: there is no room.
    """
    if hashlib.sha256(archive).hexdigest() != digest:
        raise GraderFault("the course has not arrived as it was sent", hint="grade again")
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        packed.extractall(folder)


def _needed(course: Course) -> Iterator[Path]:
    places = (course.checks, course.suites, course.reference, course.notebooks, course.lessons)
    yield from (place for place in places if place is not None and place.exists())
    yield from (*course.public, *course.known_answers, *course.one_file.values())
    yield from course.hidden_data
    for one in course.assignments:
        yield from course.data_of(one.id)


def _left_at_home(course: Course) -> Iterator[Path]:
    places = (course.mutants, course.styles, course.fakes, course.extensions)
    return (place for place in places if place is not None)


def _below(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name != "__pycache__" and name[0] != "."]
        yield from (path for name in names if (path := Path(folder, name)).is_file())


def _name(course: Course, path: Path) -> str:
    try:
        return path.relative_to(course.root).as_posix()
    except ValueError:
        raise UsageError(
            "a part of the course lies outside of its folder, so it can't be sent to a cluster",
            where=str(path),
            hint="move it into the course's folder",
        ) from None
