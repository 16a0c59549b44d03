"""Mutants: known-wrong answers, each naming the questions that it must lose.

    # solutions/mutants/embeddings/no_scale.toml
    bug = "token vectors are not multiplied by sqrt(d_model)"
    loses = ["scale"]

    [[edit]]
    in = "TokenEmbedding"
    old = '''return vectors * math.sqrt(self.d_model)'''
    new = '''return vectors'''

An edit replaces text that occurs exactly once in the answer that it names.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import msgspec

from grader.config import Course
from grader.errors import SuiteError
from grader.lessons import Lesson, lesson_path, read_lesson
from grader.model import Value
from grader.release import solution_sources


class Edit(Value, frozen=True, forbid_unknown_fields=True):
    """One replacement in one answer."""

    answer: str = msgspec.field(name="in")
    old: str
    new: str


class Mutant(Value, frozen=True):
    """A known-wrong set of answers to one assignment; `name` is its file's stem."""

    assignment: str
    name: str
    bug: str
    loses: tuple[str, ...]
    edits: tuple[Edit, ...]
    path: Path


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    bug: str
    loses: tuple[str, ...]
    edit: tuple[Edit, ...]


def load_mutants(course: Course, assignment: str | None = None) -> tuple[Mutant, ...]:
    """Read the mutants of one assignment, or of all, in the course's order and by name.

    Raises:
        SuiteError: naming the file: it is malformed, names an unknown assignment, question or
            answer, or an edit's text is not found exactly once.
    """
    if course.mutants is None:
        return ()
    known = [config.id for config in course.assignments]
    for folder in sorted(path for path in course.mutants.iterdir() if path.is_dir()):
        if folder.name not in known and any(folder.glob("*.toml")):
            raise SuiteError(
                f"mutants of an unknown assignment `{folder.name}`",
                where=str(folder),
                hint=f"assignments: {', '.join(known)}",
            )
    wanted = known if assignment is None else [course.assignment(assignment).id]
    return tuple(mutant for name in wanted for mutant in _of_assignment(course, name))


def apply(mutant: Mutant, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the answers' texts with the mutant's edits made, in their order.

    Raises:
        SuiteError: an answer is unknown, a text is not found exactly once, or the result is not
            valid Python or no different.
    """
    edited = dict(sources)
    where = str(mutant.path)
    for edit in mutant.edits:
        if edit.answer not in edited:
            hint = f"answers of `{mutant.assignment}`: {', '.join(sources)}"
            raise SuiteError(f"no answer is called `{edit.answer}`", where=where, hint=hint)
        found = edited[edit.answer].count(edit.old) if edit.old else 0
        if found != 1:
            raise SuiteError(
                f"`{_first_line(edit.old)}` occurs {found} times in `{edit.answer}`, not once",
                where=where,
                hint="`old` must be text of the reference, long enough to be unique",
            )
        edited[edit.answer] = edited[edit.answer].replace(edit.old, edit.new)
    for name, source in edited.items():
        try:
            ast.parse(source)
        except SyntaxError as error:
            message = f"after the edits `{name}` is not valid Python: {error.msg}"
            raise SuiteError(message, where=where) from None
    if edited == dict(sources):
        raise SuiteError("the edits change nothing", where=where)
    return edited


def _of_assignment(course: Course, assignment: str) -> list[Mutant]:
    if course.mutants is None:
        return []
    paths = sorted((course.mutants / assignment).glob("*.toml"))
    if not paths:
        return []
    lesson = read_lesson(lesson_path(course, assignment))
    sources = solution_sources(course, lesson)
    mutants = [_read(path, lesson) for path in paths]
    for mutant in mutants:
        apply(mutant, sources)
    return mutants


def _read(path: Path, lesson: Lesson) -> Mutant:
    try:
        table = msgspec.toml.decode(path.read_bytes(), type=_Table)
    except (msgspec.DecodeError, ValueError, OSError) as error:
        raise SuiteError(f"not a mutant: {error}", where=str(path)) from None
    questions = [cell.question for cell in lesson.cells if cell.question is not None]
    for name in table.loses:
        if name not in questions:
            hint = f"questions of `{lesson.assignment}`: {', '.join(questions)}"
            raise SuiteError(f"`loses` names no question: `{name}`", where=str(path), hint=hint)
    for key in ("bug", "loses", "edit"):
        if not getattr(table, key):
            raise SuiteError(f"`{key}` is empty", where=str(path))
    return Mutant(
        assignment=lesson.assignment,
        name=path.stem,
        bug=table.bug,
        loses=table.loses,
        edits=table.edit,
        path=path,
    )


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0]
