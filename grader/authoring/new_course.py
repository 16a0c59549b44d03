"""Courses and assignments to start from: they verify, release and grade as they stand.

A new course has its assignments in one file each, or, split, a file for everything. Either is made
of a template by putting the names that were given where the template's own stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.config.course import Course
from grader.config.one_file import LESSONS
from grader.errors import UsageError
from grader.lesson.one_file import assignment_of, lesson_files
from grader.lesson.values import in_words
from grader.model import Value
from grader.store.output import write_atomically

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = TEMPLATES / "new_course"
ONE_FILE = TEMPLATES / "one_file"
EMPTY = TEMPLATES / "empty_lesson.py"

EXAMPLE = "words"
EXAMPLE_TITLE = "Counting words"
COURSE, COURSE_TITLE = "texts", "Working with text"
"""What the templates call themselves."""


class _Names(Value, frozen=True):
    """What a course and one of its assignments are called instead of the template's."""

    course: str
    course_title: str
    assignment: str
    title: str
    number: int

    def path(self, name: str) -> str:
        """A path of the template, called after the assignment."""
        name = re.sub(r"(?<![^/])01_words(?=[/.])", f"{self.number:02}_{self.assignment}", name)
        name = re.sub(r"(?<![^/])(test_)?words(?=[/.])", rf"\g<1>{self.assignment}", name)
        return re.sub(r"(?<![^/])words_(?=\w+\.py$)", f"{self.assignment}_", name)

    def text(self, text: str) -> str:
        """A text of the template with the names in it."""
        text = re.sub(
            rf"((?:\bid|\"?ASSIGNMENT|\"assignment\") ?[=:] \\?\"){EXAMPLE}(?=\\?\")",
            lambda found: found[1] + self.assignment,
            text,
        )
        text = re.sub(
            rf"((?:\bid|\"course\") ?[=:] \"){COURSE}(?=\")",
            lambda found: found[1] + self.course,
            text,
        )
        text = text.replace(f"01_{EXAMPLE}.", f"{self.number:02}_{self.assignment}.")
        text = text.replace(f"1 · {EXAMPLE_TITLE}", f"{self.number} · {self.title}")
        for old, new in ((EXAMPLE_TITLE, self.title), (COURSE_TITLE, self.course_title)):
            text = text.replace(f'"{old}"', json.dumps(new, ensure_ascii=False)).replace(old, new)
        return text


def new_course(
    folder: Path,
    *,
    title: str = "",
    assignments: Sequence[str] = (),
    empty: bool = False,
    split: bool = False,
) -> tuple[Path, ...]:
    """Write a course into a folder. It is called after the folder.

    Args:
        folder: a new or empty one.
        title: the course's; made of the folder's name if not given.
        assignments: their ids; the example's if there are none.
        empty: begin with a lesson that holds next to nothing, and without a class.
        split: a file for everything, not one for an assignment.

    Returns:
        The files, sorted.

    Raises:
        UsageError: there is something in it, it is no folder, or an id is no plain name.
        GraderError: a file can't be written.
    """
    ids = list(assignments) or [EXAMPLE]
    for number, name in enumerate(ids):
        _require_id(name, ids[:number])
    if empty and split:
        raise UsageError(
            "a course begins empty in one file for an assignment",
            hint="leave --split out; later, `grader split ASSIGNMENT` takes such a file apart",
        )
    _require_empty(folder)
    course = re.sub(r"[^\w.-]+", "-", folder.resolve().name).strip("-.") or "course"
    written: dict[Path, str] = {}
    for number, name in enumerate(ids, 1):
        its = in_words(name) if name != EXAMPLE else EXAMPLE_TITLE
        names = _Names(course, title or in_words(course), name, its, number)
        for path, text in _files(TEMPLATE if split else ONE_FILE, names, empty=empty):
            if number > 1 and path == "pyproject.toml":
                text = _with_another(written[folder / path], text)
            written[folder / path] = text
    for place, text in written.items():
        write_atomically(place, text, durable=False, mode=None)
    return tuple(sorted(written))


def new_assignment(course: Course, name: str, *, title: str = "", empty: bool = False) -> Path:
    """Write the lesson of a new assignment into a course, in one file.

    Args:
        course: to which it is added.
        name: its id.
        title: made of the id if not given.
        empty: begin with next to nothing instead of the example.

    Returns:
        The lesson.

    Raises:
        UsageError: the course has such an assignment or lesson, or the id is no plain name.
        GraderError: the file can't be written.
    """
    path, number = next_lesson(course, name)
    names = _Names(course.id, course.title, name, title or in_words(name), number)
    source = EMPTY if empty else ONE_FILE / "lessons/01_words.py"
    text = names.text(source.read_text(encoding="utf-8"))
    write_atomically(path, text, durable=False, mode=None)
    return path


def next_lesson(course: Course, name: str) -> tuple[Path, int]:
    """Return the file of a new assignment's lesson, and its number.

    Raises:
        UsageError: the course has such an assignment or lesson, or the id is no plain name.
    """
    folder = course.lessons or course.root / LESSONS
    paths = lesson_files(folder) if folder.is_dir() else []
    _require_id(name, [one.id for one in course.assignments] + [assignment_of(p) for p in paths])
    numbers = [int(found[0]) for path in paths if (found := re.match(r"\d+", path.stem))]
    number = max([0, *numbers]) + 1
    return folder / f"{number:02}_{name}.py", number


def _files(template: Path, names: _Names, *, empty: bool) -> Iterator[tuple[str, str]]:
    """The files of a template: path and text, with the names in both."""
    for source in sorted(template.rglob("*")):
        name = source.relative_to(template).as_posix()
        if not source.is_file() or {"__pycache__", ".grader"} & set(source.parts):
            continue
        if empty and name.startswith(("submissions/", "README")):
            continue
        text = EMPTY if empty and name.startswith("lessons/") else source
        yield names.path(name), names.text(text.read_text(encoding="utf-8"))


def _with_another(table: str, other: str) -> str:
    """A `pyproject.toml` with the assignments of another one."""
    found = re.search(r"^\[\[tool\.grader\.assignments\]\]\n(?:\w.*\n)*", other, re.M)
    if found is None:
        return table
    place = [one.end() for one in re.finditer(r"^\[\[tool\..*\]\]\n(?:\w.*\n)*", table, re.M)][-1]
    return f"{table[:place]}\n{found[0]}{table[place:]}"


def _require_id(name: str, taken: Sequence[str]) -> None:
    if not re.fullmatch(r"[^\W\d]\w*", name):
        raise UsageError(f"`{name}` is no id for an assignment", hint="letters, digits and `_`")
    if name in taken:
        raise UsageError(f"two assignments would be called `{name}`", hint="choose another id")


def _require_empty(folder: Path) -> None:
    try:
        if next(folder.iterdir(), None) is None:
            return
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise UsageError("it is no folder", where=str(folder), hint="name a new one") from None
    except OSError as error:
        raise UsageError(
            f"it can't be read ({error.strerror})", where=str(folder), hint="name a new folder"
        ) from None
    raise UsageError("the folder is not empty", where=str(folder), hint="name a new one")
