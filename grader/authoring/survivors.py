"""Generated mutants that no check notices: where they are, and the two ways to settle one.

Either nobody could notice it, and it is accepted in `equivalents.toml` with the reason; or somebody
should, and it becomes a mutant of its own, which fails the gate until a check notices it.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from grader.authoring.answers import reference_place
from grader.authoring.edited import changed_line, unified
from grader.authoring.generated import Generated, generate, given_functions, load_equivalents
from grader.authoring.lessons import Lesson, lesson_path, lesson_paths, read_lesson
from grader.authoring.release import solution_sources
from grader.authoring.tables import add_entries, table_path
from grader.config.course import Course
from grader.errors import UsageError
from grader.model import Value
from grader.store.output import write_atomically

EQUIVALENTS_HEADING = "Generated mutants that nobody could notice, each with the reason why."


class Shown(Value, frozen=True):
    """A mutant as somebody looks at it: `file:line`, and the unified diff of that file."""

    where: str
    diff: str


def show(
    course: Course, lesson: Lesson, sources: Mapping[str, str], wanted: Collection[str]
) -> dict[str, Shown]:
    """Say of some generated mutants where they are and what they change, by id.

    Args:
        course: where the reference is.
        lesson: whose mutants.
        sources: its answers' texts by name.
        wanted: their ids.
    """
    if not wanted:
        return {}
    made = generate(sources, given_functions(lesson), edited=wanted)
    return {one.id: _shown(one, course, lesson, sources) for one in made if one.id in wanted}


def _shown(one: Generated, course: Course, lesson: Lesson, sources: Mapping[str, str]) -> Shown:
    path, first = _place(course, lesson, one.answer)
    source, edited = sources[one.answer], one.edited
    if not edited:  # it can be said of the tree alone
        return Shown(str(path), one.change)
    name = os.path.relpath(path, course.root)
    diff = unified(source, edited, path=name, name=one.id, first_line=first or 1)
    line = f":{first + changed_line(source, edited) - 1}" if first else ""
    return Shown(f"{path}{line}", diff)


def _place(course: Course, lesson: Lesson, answer: str) -> tuple[Path, int]:
    """The file of an answer and its first line; 0 where lines of it are left out."""
    cell = next(cell for cell in lesson.cells if cell.solution == answer)
    if cell.source.strip():
        return lesson.path, cell.line + 1
    path, line = reference_place(course, answer)
    return path, 0 if cell.without else line


# ---------------------------------------------------------------- settling one


class Found(Value, frozen=True):
    """A generated mutant and the lesson that it is of."""

    lesson: Lesson
    sources: dict[str, str]
    mutant: Generated


def find_mutant(course: Course, assignments: Sequence[str], name: str) -> Found:
    """Find a generated mutant by its id.

    Args:
        course: whose lessons.
        assignments: where to look; everywhere when empty.
        name: the id.

    Raises:
        UsageError: there is none, or several assignments have one.
    """
    found: list[Found] = []
    known: list[str] = []
    for assignment in assignments or lesson_paths(course):
        lesson = read_lesson(lesson_path(course, assignment))
        sources = solution_sources(course, lesson)
        made = generate(sources, given_functions(lesson), edited=[name])
        known += [one.id for one in made]
        found += [Found(lesson, sources, one) for one in made if one.id == name]
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(one.lesson.assignment for one in found)
        hint = f"say which with -a: {named}"
        raise UsageError(f"several assignments have a mutant `{name}`", hint=hint)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "`grader verify --generate` lists them"
    raise UsageError(f"there is no generated mutant `{name}`", hint=hint)


def accept(course: Course, assignments: Sequence[str], name: str, reason: str) -> Path:
    """Accept a generated mutant as equivalent; returns the table that says so from now on.

    Raises:
        UsageError: there is no such mutant, or it has an entry; SuiteError: the table is malformed.
    """
    _require_words(reason, "why nobody could notice it")
    found = find_mutant(course, assignments, name)
    path = table_path(found.lesson, "equivalents")
    if any(one.mutant == name for one in load_equivalents(found.lesson)):
        hint = "write its `reason` and `change` there"
        raise UsageError(f"`{name}` has an entry already", where=str(path), hint=hint)
    made = {"mutant": name, "change": found.mutant.change, "reason": reason.strip()}
    add_entries(path, "equivalent", [made], EQUIVALENTS_HEADING)
    return path


def write_mutant(
    course: Course, assignments: Sequence[str], name: str, loses: Sequence[str], bug: str
) -> Path:
    """Write a generated mutant down as one of the course's own; returns its file.

    Args:
        course: whose mutants.
        assignments: where to look; everywhere when empty.
        name: the id.
        loses: the questions that it must lose.
        bug: what is wrong with it, for people.

    Raises:
        UsageError: there is no such mutant, question or folder of mutants, or there is such a file.
    """
    _require_words(bug, "what is wrong with it")
    found = find_mutant(course, assignments, name)
    asked = [cell.question for cell in found.lesson.cells if cell.question is not None]
    for question in loses:
        if question not in asked:
            near = difflib.get_close_matches(question, asked, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"questions: {', '.join(asked)}"
            raise UsageError(f"no question is called `{question}`", hint=hint)
    if not loses:
        hint = f"name it with --loses: {', '.join(asked)}"
        raise UsageError("which question must it lose?", hint=hint)
    if course.mutants is None:
        raise UsageError(
            "this course has no folder for mutants",
            where=str(course.root / "pyproject.toml"),
            hint='make one and name it in [tool.grader]: mutants = "private/mutants"',
        )
    stem = re.sub(r"\W+", "_", name).strip("_")
    path = course.mutants / found.lesson.assignment / f"{stem}.toml"
    if path.exists():
        raise UsageError("it is written already", where=str(path))
    old, new = smallest_edit(found.sources[found.mutant.answer], found.mutant)
    lines = [
        f"bug = {_string(bug.strip())}",
        f"loses = {json.dumps(list(loses))}",
        "",
        "[[edit]]",
        f"in = {_string(found.mutant.answer)}",
        f"old = {_literal(old)}",
        f"new = {_literal(new)}",
    ]
    write_atomically(path, "\n".join(lines) + "\n", mode=None)
    return path


def smallest_edit(source: str, mutant: Generated) -> tuple[str, str]:
    """The lines of an answer that a mutant changes, with those around that make them unique."""
    old, new = source.split("\n"), (mutant.edited or mutant.source).split("\n")
    first, last = 0, 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    first, last = min(first, len(old) - 1), min(last, len(old) - 1)
    while True:
        before = "\n".join(old[first : len(old) - last])
        if (before.strip() and source.count(before) == 1) or (first, last) == (0, 0):
            return before, "\n".join(new[first : len(new) - last])
        first, last = (first - 1, last) if first else (first, last - 1)


def _require_words(text: str, what: str) -> None:
    if not text.strip():
        raise UsageError(f"say {what}", hint='--reason "…", for whoever looks at it later')


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _literal(text: str) -> str:
    """A text as TOML, as it stands where that can be."""
    printable = all(line.isprintable() for line in text.split("\n"))
    if printable and "'''" not in text and not text.endswith("'") and text[:1] != "\n":
        return f"'''{text}'''"
    return _string(text)
