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
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from grader.authoring.lessons import Lesson, lesson_path, read_lesson
from grader.authoring.release import solution_sources
from grader.config.course import Course
from grader.errors import SuiteError
from grader.model import Value


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


class _MutantTable(msgspec.Struct, forbid_unknown_fields=True):
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
    require_known_folders(course, course.mutants, "mutants", ["*.toml"])
    known = [config.id for config in course.assignments]
    wanted = known if assignment is None else [course.assignment(assignment).id]
    return tuple(mutant for name in wanted for mutant in _of_assignment(course, name))


def require_known_folders(course: Course, place: Path, what: str, patterns: Sequence[str]) -> None:
    """Demand that each folder of a place that holds such files is named after an assignment.

    Raises:
        SuiteError: one is not: nobody would ever try what is in it.
    """
    known = [config.id for config in course.assignments]
    for folder in sorted(path for path in place.iterdir() if path.is_dir()):
        if folder.name not in known and any(any(folder.glob(one)) for one in patterns):
            raise SuiteError(
                f"{what} of an unknown assignment `{folder.name}`",
                where=str(folder),
                hint=f"assignments: {', '.join(known)}",
            )


def apply(mutant: Mutant, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the answers' texts with the mutant's edits made.

    Raises:
        SuiteError: see `edited`.
    """
    return make_edits(mutant.edits, sources, mutant.path)


def make_edits(edits: Iterable[Edit], sources: Mapping[str, str], path: Path) -> dict[str, str]:
    """Return the answers' texts with edits made in their order. `path` is the file that has them.

    Raises:
        SuiteError: an answer is unknown, a text is not found exactly once, or the result is not
            valid Python or no different.
    """
    edited = dict(sources)
    where = str(path)
    for edit in edits:
        if edit.answer not in edited:
            hint = f"answers: {', '.join(sources)}"
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
        table = msgspec.toml.decode(path.read_bytes(), type=_MutantTable)
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
