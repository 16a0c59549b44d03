"""Assignments that a lesson in one file carries: they need no entry in `pyproject.toml`.

What such an entry would say may stand in the lesson's header; where both say something, the entry
of `pyproject.toml` holds. With such a lesson, everything else of `[tool.grader]` may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import ConfigError
from grader.lesson.header import Header, read_header
from grader.lesson.one_file import assignment_of, carries_assignment, lesson_files
from grader.lesson.values import in_words
from grader.model import Value

MAX_PATH_CHARS = 1000
LESSONS, NOTEBOOKS = "lessons", "notebooks"
"""Where lessons are, and their notebooks go, if nobody says so."""


class Lessons(Value, frozen=True):
    """Lessons in one file: their paths by assignment, and the headers with what they alone say."""

    paths: dict[str, Path] = msgspec.field(default_factory=dict)
    headers: dict[tuple[str, str], Header] = msgspec.field(default_factory=dict)

    def blamed(self, assignment: str, key: str, error: ConfigError) -> ConfigError:
        """What is wrong with a key of an assignment, with its line if a header says it."""
        header = self.headers.get((assignment, key))
        if header is None:
            return error
        named = re.match(r"\[tool\.grader\.([\w.]+)\] (\w+)", error.message)
        path = (*named[1].split("."), named[2]) if named else (key,)
        message = error.message.replace("[tool.grader.", "[")
        return ConfigError(message, where=header.place_of(*path), hint=error.hint)


def with_lessons(
    raw: Any, root: Path, accept: Callable[[Mapping[str, Any]], object]
) -> tuple[Any, Lessons]:
    """Complete a course's table by what its lessons say.

    Args:
        raw: `[tool.grader]` as it is written.
        root: the course's folder.
        accept: raises `ConfigError` for what can't be the table of an assignment.

    Returns:
        The table, and the lessons in one file.

    Raises:
        ConfigError, ReleaseError: a header can't be used, or two lessons are called alike.
    """
    place = raw.get(LESSONS, LESSONS) if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(place, str) or len(place) > MAX_PATH_CHARS:
        return raw, Lessons()
    folder = root / place
    there = _is_folder(folder)
    lessons = lesson_files(folder) if there else []
    paths = [path for path in lessons if carries_assignment(path)]
    if not paths and "assignments" in raw:
        return raw, Lessons()
    listed = raw.get("assignments", [])
    if not (isinstance(listed, list) and all(isinstance(one, dict) for one in listed)):
        return raw, Lessons()
    found = Lessons()
    entry_of = {str(one.get("id")): one for one in listed}
    tables: dict[str, dict[str, Any]] = {}
    for path in paths:
        name = assignment_of(path)
        if name in found.paths:
            raise ConfigError(f"two lessons for `{name}`", where=f"{found.paths[name]}, {path}")
        found.paths[name] = path
        header = read_header(path)
        tables[name] = _table(name, header, accept)
        own = header.table.keys() - entry_of.get(name, {}).keys()
        found.headers.update({(name, key): header for key in own})
    entries = [{**tables.pop(str(one.get("id")), {}), **one} for one in listed]
    course = re.sub(r"\W+", "-", root.resolve().name).strip("-") or "course"
    completed = {
        "id": course,
        "title": in_words(course),
        **({LESSONS: place} if there else {}),
        **raw,
        "assignments": [*entries, *tables.values()],
    }
    return completed, found


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no folder could have
        return False


def _table(
    name: str, header: Header, accept: Callable[[Mapping[str, Any]], object]
) -> dict[str, Any]:
    table = {"title": header.heading or in_words(name), **header.table, "id": name}
    if "id" in header.table and header.table["id"] != name:
        raise ConfigError(
            f"the header calls the assignment `{header.table['id']}`, the file `{name}`",
            where=header.place_of("id"),
            hint="leave `id` out: the file's name says it",
        )
    try:
        accept(table)
    except ConfigError as error:
        where = header.place_of_error(error.message)
        message = f"the lesson's header: {error.message}"
        raise ConfigError(message, where=where, hint=error.hint) from None
    return table
