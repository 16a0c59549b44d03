"""`student.zip`: all that a student needs, and nothing else.

    ID/                     one folder, called after the course
        README.md           the first public folder's: how to start; a plain one if there is none
        requirements.txt    the same folder's: what to install, and `requirements` of the course
        LICENSE             the course's, where it has one
        notebooks/          fresh from the lessons; beside them their data, and the public checks
                            that stand in lessons
        course/             each public folder, without notebooks and data
        grader/             the part of the engine that runs public checks in a notebook,
                            and what the course decides for them: how long one may take

The same course gives the same bytes on every machine, the date of its files included: see
`grader/authoring/release_date.py`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import grader
from grader.authoring.handout import for_the_top, public_checks
from grader.authoring.release import build_notebooks, data_beside, notebook_bytes
from grader.authoring.release_date import release_date
from grader.config.course import Course
from grader.config.suite_files import assignment_of
from grader.errors import ReleaseError
from grader.model import Suite
from grader.names import top_folder
from grader.testing.practice import SETTINGS, settings_of

TOP = Path(grader.__file__).parent
ENGINE = ("__init__.py", "errors.py", "local.py", "model.py", "testing")
"""What checks in a notebook need: files and whole folders of the engine."""

AT_THE_TOP = ("README.md", "requirements.txt")
LEFTOVERS = (".pyc", ".pyo", ".orig", ".rej", ".bak", "~")
LONGEST_CHANCE = 200
"""Files of at most so many bytes may be alike by chance, as the `__init__.py` of packages are."""


def student_zip(
    course: Course, suites: Iterable[Suite], assignments: Collection[str] = ()
) -> bytes:
    """Return the bytes of the archive that students get.

    Args:
        course: whose release it is.
        suites: for titles and points; one for every lesson.
        assignments: ids; all that have a lesson when empty.

    Raises:
        ReleaseError: a lesson can't be turned into a notebook, the course names nothing public,
            or what is public holds something private.
    """
    top = top_folder(course.id)
    members = student_files(course, suites, assignments)
    date = release_date(course).timetuple()[:6]
    stream = io.BytesIO()
    # Stored: what deflate makes of a file differs from one build of zlib to the next.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(f"{top}/{name}", date_time=date)
            info.create_system = 3  # Unix, whatever this is made on
            info.external_attr = 0o100644 << 16
            archive.writestr(info, members[name])
    return stream.getvalue()


def student_files(
    course: Course, suites: Iterable[Suite], assignments: Collection[str] = ()
) -> dict[str, bytes]:
    """Return every file of the student release by its path, without the top folder.

    Raises:
        ReleaseError: see `student_zip`.
    """
    members = support_files(course, assignments)
    if course.public:
        _move_to_the_top(members, course.public[0])
    else:
        members.update(for_the_top(course))
    _add_requirements(members, course.requirements)
    if (licence := course.root / "LICENSE").is_file():
        members["LICENSE"] = licence.read_bytes()
    for lesson, notebook in build_notebooks(course, suites, assignments=assignments):
        members[f"notebooks/{lesson.notebook_name}"] = notebook_bytes(notebook)
        for name, path in data_beside(course, lesson.assignment):
            members[f"notebooks/{name}"] = path.read_bytes()
        for name, content in public_checks(course, lesson.assignment).items():
            members[f"notebooks/{name}"] = content
    reject_copies(course, members)
    return members


def support_files(course: Course, assignments: Collection[str] = ()) -> dict[str, bytes]:
    """Return what a notebook imports beside it: the public folders and the checks' engine.

    With `assignments`, the public checks of others are left out.

    Raises:
        ReleaseError: the course names nothing public, or what is public holds something private.
    """
    if not course.public and not course.one_file:
        raise ReleaseError(
            "nothing of this course is public",
            where=str(course.root / "pyproject.toml"),
            hint="set `public` in [tool.grader] to the folder that notebooks import `check` from",
        )
    reject_private(course)
    members: dict[str, bytes] = {}
    others = {one.id for one in course.assignments if assignments and one.id not in assignments}
    apart = _beside_notebooks(course)
    for folder in course.public:
        for name, path in _public_files(folder):
            if apart.intersection((path, *path.parents)):
                continue
            if assignment_of(path, (course.checks,)) in others:
                continue
            if name in members:
                raise ReleaseError(f"two public files would be `{name}`", where=str(folder))
            members[name] = path.read_bytes()
    for path in engine_files():
        members.setdefault(f"grader/{path.relative_to(TOP).as_posix()}", path.read_bytes())
    settings = json.dumps(settings_of(course.limits))
    members[f"grader/{SETTINGS.relative_to(TOP).as_posix()}"] = f"{settings}\n".encode()
    return members


def engine_files() -> Iterator[Path]:
    """Every file of the engine that a student gets."""
    for name in ENGINE:
        place = TOP / name
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def reject_private(course: Course) -> None:
    """Demand that nothing private lies in a public folder, nor the other way round.

    Raises:
        ReleaseError: naming both folders.
    """
    shown = (*course.public, *filter(None, (course.checks, course.notebooks)))
    for private in course.private:
        for public in shown:
            inner, outer = private.resolve(), public.resolve()
            if inner == outer or outer in inner.parents or inner in outer.parents:
                raise ReleaseError(
                    "students would get what is private",
                    where=f"{private} and {public} are not apart",
                    hint="keep public and private material in folders side by side",
                )


def _beside_notebooks(course: Course) -> set[Path]:
    """Where data lies in the course: its own places, and those beside the released notebooks."""
    places = {place for one in course.assignments for place in course.data_of(one.id)}
    folder = course.notebooks
    return places | ({folder / place.name for place in places} if folder else set())


def _public_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """A public folder's files, called as they are imported: `course/parts.py`."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        name = path.relative_to(folder.parent)
        if path.is_symlink():
            raise ReleaseError(
                "a symbolic link in a public folder", where=str(path), hint="put the file there"
            )
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if hidden or not path.is_file() or name.name.endswith(LEFTOVERS):
            continue
        if path.suffix == ".ipynb":  # notebooks are made from lessons, never copied
            continue
        yield name.as_posix(), path


def _move_to_the_top(members: dict[str, bytes], folder: Path) -> None:
    for name in AT_THE_TOP:
        content = members.pop(f"{folder.name}/{name}", None)
        if content is None:
            raise ReleaseError(
                f"students would get no {name}",
                where=str(folder),
                hint="write it there: it goes to the top of student.zip",
            )
        members[name] = content


def _add_requirements(members: dict[str, bytes], requirements: Sequence[str]) -> None:
    lines = members["requirements.txt"].decode().splitlines()
    lines += [line for line in requirements if line not in lines]
    members["requirements.txt"] = "".join(f"{line}\n" for line in lines).encode()


def reject_copies(course: Course, members: dict[str, bytes]) -> None:
    """Notice a private file that somebody copied into a public folder."""
    known = {content: name for name, content in members.items() if len(content) > LONGEST_CHANCE}
    sizes = {len(content) for content in known}
    for place in course.private:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            alike = path.is_file() and path.stat().st_size in sizes
            if alike and (name := known.get(path.read_bytes())):
                raise ReleaseError(
                    f"students would get what is private: `{name}`", where=f"it is {path}"
                )
