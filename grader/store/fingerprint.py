"""What decides a result besides the submission, as digests: a kept result belongs to exactly these.

A suite's digest covers every file that its checks could read: those of the suites and of the
public checks with their helper modules, the reference, the packages that submissions may import,
with what of them is withheld, the answers that are known, and data files.
Left out are the test files of other assignments, so that editing one suite does not spoil the
results of all others; one that another file names is a helper like any other and stays in.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import grader
from grader import __version__
from grader.config.course import Course
from grader.config.data import data_files
from grader.config.suite_files import assignment_of

PACKAGES = ("torch", "numpy", "pytest", "ipython")
"""Installed packages whose versions can change a result."""


def suite_digests(course: Course, assignments: Iterable[str]) -> dict[str, str]:
    """SHA-256 over all files that decide an assignment's checks, by assignment id."""
    files = {path: path.read_bytes() for path in _files(course)}
    others = _separate_tests(course, files)
    data = _DataDigests()
    digests = {}
    for assignment in assignments:
        withheld = course.assignment(assignment).withheld
        digest = hashlib.sha256(f"grader {__version__}\n{course.preload}\n{withheld}\n".encode())
        for path, content in files.items():
            if others.get(path, assignment) == assignment:
                name = os.path.relpath(path, course.root)
                digest.update(f"{name}:{len(content)}\n".encode("utf-8", "surrogateescape"))
                digest.update(content)
        for place in (*course.data_of(assignment), *course.hidden_data):
            digest.update(data.of(place))
        digests[assignment] = digest.hexdigest()
    return digests


@functools.cache
def engine_digest() -> str:
    """SHA-256 over the grader's own source and the versions that it runs on."""
    root = Path(grader.__file__).parent
    digest = hashlib.sha256(repr(sorted(versions().items())).encode())
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}:{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def graded_with(suite_digest: str) -> str:
    """A digest of a suite and of the grader: what differs here may give another score."""
    return hashlib.sha256(f"{engine_digest()}\n{suite_digest}".encode()).hexdigest()[:16]


@functools.cache
def versions() -> dict[str, str]:
    """The grader's, Python's and the main packages' versions; nothing is imported for it."""
    found = {"grader": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


class _DataDigests:
    """Digests of data, which may be large: read piece by piece, and once for all assignments."""

    def __init__(self) -> None:
        self._known: dict[Path, bytes] = {}

    def of(self, place: Path) -> bytes:
        """SHA-256 over a place's files and their names."""
        if place not in self._known:
            digest = hashlib.sha256()
            for name, path in data_files(place):
                with path.open("rb") as stream:
                    content = hashlib.file_digest(stream, "sha256").digest()
                digest.update(f"{name}:".encode("utf-8", "surrogateescape") + content)
            self._known[place] = digest.digest()
        return self._known[place]


def _files(course: Course) -> list[Path]:
    """Every file but data that a check or a submission could read, once, in one order."""
    roots = [course.checks, course.suites, course.reference, *course.public, *course.known_answers]
    roots += course.one_file.values()
    data = {place for one in course.assignments for place in course.data_of(one.id)}
    found = {path for root in roots if root is not None for path in _below(root)}
    return sorted(path for path in found if not data.intersection((path, *path.parents)))


def _below(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if _counts(name)]
        for name in names:
            path = Path(folder, name)
            if _counts(name) and path.is_file():
                yield path


def _counts(name: str) -> bool:
    """Caches, editors' backups and version control decide nothing."""
    return name != "__pycache__" and not name.startswith(".") and not name.endswith((".pyc", "~"))


def _separate_tests(course: Course, files: dict[Path, bytes]) -> dict[Path, str]:
    """Test files that concern one assignment alone, with its id."""
    known = {assignment.id for assignment in course.assignments}
    found = {path: name for name, path in course.one_file.items()}
    for path in files:
        assignment = assignment_of(path, (course.checks, course.suites))
        if assignment in known:
            stem = path.stem.encode()
            named = re.compile(rb"\b" + stem + rb"\b")
            others = (other for other in files if other.suffix == ".py" and other != path)
            # `in` finds the few files that are worth the expression in a hundredth of its time
            if not any(stem in files[other] and named.search(files[other]) for other in others):
                found[path] = assignment
    return found
