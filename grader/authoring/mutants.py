"""Mutants: known-wrong answers, each naming the questions that it must lose.

    # solutions/mutants/embeddings/no_scale.toml
    bug = "token vectors are not multiplied by sqrt(d_model)"
    loses = ["scale"]

    [[edit]]
    in = "TokenEmbedding"
    old = '''return vectors * math.sqrt(self.d_model)'''
    new = '''return vectors'''

An edit replaces text that occurs exactly once in the answer that it names. In a lesson that carries
all of an assignment, a mutant is a cell: see `grader/lesson/one_file.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from grader.authoring.lessons import Lesson, lesson_path, read_lesson
from grader.authoring.release import solution_sources
from grader.config.course import Course
from grader.errors import SuiteError
from grader.lesson.answers import WrongCell
from grader.lesson.one_file import read_one_file
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
    place: str = ""

    @property
    def where(self) -> str:
        """The file that it stands in, or `file:line` of the cell."""
        return self.place or str(self.path)


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
    if course.mutants is not None:
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
    return make_edits(mutant.edits, sources, mutant.where)


def make_edits(edits: Iterable[Edit], sources: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the answers' texts with edits made in their order. `where` is the place that has them.

    Raises:
        SuiteError: an answer is unknown, a text is not found exactly once, or the result is not
            valid Python or no different.
    """
    edited = dict(sources)
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
    folder = course.mutants
    paths = [] if folder is None else sorted((folder / assignment).glob("*.toml"))
    cells: tuple[WrongCell, ...] = ()
    if assignment in course.one_file:
        cells = read_one_file(course.one_file[assignment]).mutants
    if not paths and not cells:
        return []
    lesson = read_lesson(lesson_path(course, assignment))
    sources = solution_sources(course, lesson)
    mutants = [_read(path, lesson) for path in paths]
    mutants += [_of_cell(cell, lesson, sources) for cell in cells]
    _reject_two_alike(mutants)
    for mutant in mutants:
        apply(mutant, sources)
    return mutants


def _of_cell(cell: WrongCell, lesson: Lesson, sources: Mapping[str, str]) -> Mutant:
    """The mutant of a lesson's cell: one replacement, or definitions that take others' place.

    Raises:
        SuiteError: with `file:line`: what it is about stands in no answer, or in several.
    """
    edits = _replacement(cell, sources) if cell.old else _redefinitions(cell, sources)
    return Mutant(
        assignment=lesson.assignment,
        name=cell.name,
        bug=cell.bug,
        loses=cell.loses,
        edits=edits,
        path=lesson.path,
        place=cell.cell.where,
    )


def _replacement(cell: WrongCell, sources: Mapping[str, str]) -> tuple[Edit, ...]:
    parts = [part for part in _parts(sources) if part[1] == cell.within]
    if cell.within and not parts:
        raise SuiteError(
            f"no answer defines `{cell.within}`",
            where=cell.cell.where,
            hint=f"there are {', '.join(name for _, name, _ in _parts(sources))}",
        )
    texts = [(answer, text) for answer, _, text in parts] if cell.within else sources.items()
    found = {answer: text for answer, text in texts if cell.old in text}
    times = sum(text.count(cell.old) for text in found.values())
    if times != 1:
        having = [name for _, name, text in _parts(sources) if text.count(cell.old) == 1]
        place = f"in `{cell.within}`" if cell.within else "in the answers"
        raise SuiteError(
            f"`{_first_line(cell.old)}` occurs {times} times {place}, not once",
            where=cell.cell.where,
            hint=f"say where: in={' or in='.join(having)}" if having and not cell.within
            else "`replace` must be text of an answer, long enough to be unique",
        )  # fmt: skip
    ((answer, text),) = found.items()
    if not cell.within:
        return (Edit(answer=answer, old=cell.old, new=cell.new),)
    return (Edit(answer=answer, old=text, new=text.replace(cell.old, cell.new)),)


def _parts(sources: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Like `_definitions`, with the methods of classes: `Order.add`."""
    for answer, name, text in _definitions(sources):
        yield answer, name, text
        node = ast.parse(text).body[0]
        lines = text.split("\n")
        for method in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                source = "\n".join(lines[first_line_of(method) - 1 : method.end_lineno])
                yield answer, f"{name}.{method.name}", source


def _redefinitions(cell: WrongCell, sources: Mapping[str, str]) -> tuple[Edit, ...]:
    lines = cell.cell.source.split("\n")
    rest: list[str] = []
    edits: list[Edit] = []
    for node in ast.parse(cell.cell.source).body:
        new = "\n".join(lines[first_line_of(node) - 1 : node.end_lineno])
        named = getattr(node, "name", None)
        place = next((p for p in _definitions(sources) if p[1] == named), None) if named else None
        if place is None:
            rest.append(new)
        else:
            edits.append(Edit(answer=place[0], old=place[2], new=new))
    if not edits:
        raise SuiteError(
            f"mutant `{cell.name}` defines nothing that an answer defines",
            where=cell.cell.where,
            hint=f"answers: {', '.join(sources)}",
        )
    first = edits[0]
    edits[0] = Edit(answer=first.answer, old=first.old, new="\n".join([*rest, first.new]))
    return tuple(edits)


def _definitions(sources: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The functions and classes of the answers: the answer, the name and the text of each."""
    for answer, source in sources.items():
        lines = source.split("\n")
        for node in ast.parse(source).body:
            if name := getattr(node, "name", None):
                yield answer, name, "\n".join(lines[first_line_of(node) - 1 : node.end_lineno])


def first_line_of(node: ast.stmt) -> int:
    """The number of a statement's first line, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(part.lineno for part in decorators)])


def _reject_two_alike(mutants: Sequence[Mutant]) -> None:
    seen: dict[str, Mutant] = {}
    for mutant in mutants:
        if mutant.name in seen:
            raise SuiteError(
                f"two mutants are called `{mutant.name}`",
                where=f"{mutant.where} and {seen[mutant.name].where}",
                hint="rename one",
            )
        seen[mutant.name] = mutant


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
