"""From a lesson in one file to a file for everything: `grader split`.

    lessons/01_words.py              prose; answers come from the reference, or stay if they can't
    private/reference/words.py       the answers, and what they build on
    private/suites/test_words.py     hidden checks
    handout/checks/test_words.py     public checks, in the folder that notebooks import `check` from
    private/mutants/words/*.toml     wrong answers
    private/fakes/words/*.py         answers that only pretend
    private/styles/words_*.py        right answers in other styles
    pyproject.toml                   where all of these are, and what the header said

A course that has such places keeps them. Both forms give the same scores.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.authoring.answers import BEGIN, END
from grader.authoring.cases import what_is_given
from grader.authoring.handout import CHECKS
from grader.authoring.lessons import read_lesson
from grader.authoring.mutants import Mutant, load_mutants
from grader.authoring.new_course import TEMPLATE
from grader.authoring.suite_text import suite_text
from grader.config.course import Course, load_course
from grader.config.pyproject import PYPROJECT, read_table
from grader.errors import ConfigError, UsageError
from grader.judging.lesson_suite import preparing
from grader.lesson.answers import WholeCell
from grader.lesson.cells import NOTEBOOK, SourceCell
from grader.lesson.one_file import OneFile, read_one_file, word
from grader.store.output import write_atomically

PLACES = {
    "checks": "handout/checks",
    "suites": "private/suites",
    "reference": "private/reference",
    "mutants": "private/mutants",
    "fakes": "private/fakes",
    "styles": "private/styles",
    "notebooks": "notebooks",
}
HANDOUT = ("__init__.py", "README.md", "requirements.txt")

SETUP = """\
# %%
import sys

sys.path += ["..", "../.."]  # the folder `{package}` is there
from {package} import check

ASSIGNMENT = "{assignment}"  # tells check() which notebook this is
"""


def split(course: Course, assignment: str) -> tuple[Path, ...]:
    """Take the lesson of an assignment apart.

    Args:
        course: whose places are used where it has them.
        assignment: its id.

    Returns:
        The files that were written.

    Raises:
        UsageError: it has no lesson in one file, something stands where a file would be written, or
            `pyproject.toml` can't say what the header says. Then everything is as it was.
        ReleaseError, SuiteError: the lesson can't be used.
        GraderError: a file can't be written.
    """
    config = course.assignment(assignment)
    if config.id not in course.one_file:
        raise UsageError(
            f"`{config.id}` is not in one file",
            where=str(course.lessons or course.root),
            hint="a lesson in one file has `# %% check` cells",
        )
    lesson = read_one_file(course.one_file[config.id])
    package = course.public[0].name if course.public else "handout"
    places = _places(course)
    files = dict(_new_files(lesson, load_mutants(course, config.id), places))
    taken = [path for path in files if path.exists()]
    if taken:
        raise UsageError("a file is there already", where=str(taken[0]), hint="move it away first")
    for path, text in _shared(course, config.id, places).items():
        files.setdefault(path, text)
    used = [key for key, place in places.items() if any(place in path.parents for path in files)]
    files[course.root / PYPROJECT] = _table(course, lesson, config.title, [*used, "notebooks"])
    files[lesson.path.with_suffix(".py")] = _rest(lesson, package)
    gone = [places["notebooks"] / CHECKS / f"test_{config.id}.py"]
    if lesson.path.suffix == NOTEBOOK:
        gone.append(lesson.path)
    with _restored_on_error([*files, *gone]):
        for path, text in files.items():
            write_atomically(path, text, durable=False, mode=None)
        for path in gone:
            path.unlink(missing_ok=True)
        _require_same(course, lesson)
    return tuple(sorted(files))


@contextlib.contextmanager
def _restored_on_error(paths: Sequence[Path]) -> Iterator[None]:
    """Give files back what they held, or take them away, if what happens inside fails."""
    before = {path: path.read_bytes() if path.is_file() else None for path in paths}
    try:
        yield
    except BaseException:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_atomically(path, content, durable=False, mode=None)
        raise


def _require_same(before: Course, lesson: OneFile) -> None:
    """Demand that a course says of its assignments what it said when this lesson was one file.

    Raises:
        UsageError: it does not: its table is written in a way that takes no entry.
    """
    try:
        after = load_course(before.root)
        found = {one.id: one for one in after.assignments if one.id not in after.one_file}
    except ConfigError:
        found = {}
    rules = {one.id: one for one in before.assignments if one.id not in before.one_file}
    if found != rules | {lesson.assignment: before.assignment(lesson.assignment)}:
        raise UsageError(
            "what the lesson's header says can't be written into this file",
            where=str(before.root / PYPROJECT),
            hint="write each assignment as [[tool.grader.assignments]] there, then split",
        )


def _places(course: Course) -> dict[str, Path]:
    places = {key: getattr(course, key) or course.root / name for key, name in PLACES.items()}
    if places["reference"].suffix == ".py":
        raise UsageError(
            "the course's reference is one file",
            where=str(places["reference"]),
            hint="make a folder of it with an `__init__.py`: each assignment adds a file",
        )
    return places


def _new_files(
    lesson: OneFile, mutants: Sequence[Mutant], places: Mapping[str, Path]
) -> Iterator[tuple[Path, str]]:
    """The files that are this assignment's alone."""
    name = lesson.assignment
    yield places["reference"] / f"{name}.py", _reference(lesson)
    for key, public in (("checks", True), ("suites", False)):
        if text := suite_text(lesson, public=public):
            yield places[key] / f"test_{name}.py", text
    for mutant in mutants:
        if mutant.place:
            yield places["mutants"] / name / f"{mutant.name}.toml", _mutant(mutant)
    given = "".join(f"{text}\n\n\n" for text in what_is_given(read_lesson(lesson.path)))
    for fake in lesson.fakes:
        yield places["fakes"] / name / f"{fake.name}.py", _fake(fake, given)
    for style in lesson.styles:
        yield places["styles"] / f"{name}_{style.name}.py", f"{given}{style.cell.source}\n"


def _shared(course: Course, assignment: str, places: Mapping[str, Path]) -> dict[Path, str]:
    """What all assignments of a course have together, where it is not there yet."""
    found: dict[Path, str] = {}
    if not course.public:
        for name in HANDOUT:
            text = (TEMPLATE / "handout" / name).read_text(encoding="utf-8")
            found[course.root / "handout" / name] = text.replace("Working with text", course.title)
    init = places["reference"] / "__init__.py"
    found = {path: text for path, text in found.items() if not path.exists()}
    text = init.read_text(encoding="utf-8") if init.is_file() else '"""The right answers."""\n\n'
    return found | {init: f"{text}from {init.parent.name}.{assignment} import *\n"}


# ---------------------------------------------------------------- answers


def _reference(lesson: OneFile) -> str:
    """The answers, with what they build on, in the order of the lesson."""
    parts = [f'"""The right answers of {lesson.assignment}."""']
    for cell in lesson.cells:
        if _is_answer(cell):
            parts.append(_without_markers(cell.source))
        elif cell.marker.kind == "code" and not cell.marker.words:
            parts += [ast.unparse(statement) for statement in preparing(cell)]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _is_answer(cell: SourceCell) -> bool:
    return cell.marker.kind == "code" and (
        word(cell) == "solution" or "solution" in cell.marker.values
    )


def _without_markers(source: str) -> str:
    lines = source.split("\n")
    return "\n".join(line for line in lines if line.strip() not in (BEGIN, END))


def _comes_from_reference(cell: SourceCell) -> bool:
    """Whether a cell is one definition and nothing else: then the reference's text is its text."""
    body = ast.parse(cell.source).body
    lines = cell.source.split("\n")
    alone = len(body) == 1 and isinstance(body[0], (ast.FunctionDef, ast.ClassDef))
    return (
        alone
        and not lines[0].startswith("#")
        and body[0].end_lineno == len(lines)
        and "BEGIN SOLUTION" not in cell.source
    )


def _rest(lesson: OneFile, package: str) -> str:
    """The lesson without checks and wrong answers, in percent format."""
    parts: list[str] = []
    asked = {cell.marker.values.get("question") for cell in lesson.cells if word(cell) == ""}
    imports_check = any("import check" in cell.source for cell in lesson.cells if word(cell) == "")
    for cell in lesson.cells:
        if cell.marker.kind == "code" and not imports_check:
            parts.append(SETUP.format(package=package, assignment=lesson.assignment))
            imports_check = True
        if word(cell) == "check":
            question = cell.marker.values.get("question")
            if question and question not in asked:
                asked.add(question)
                parts.append(f'# %% question="{question}"\n')
        else:
            parts.append(_percent(cell))
    return "\n".join(parts)


def _percent(cell: SourceCell) -> str:
    """A cell in percent format."""
    values = dict(cell.marker.values)
    source = cell.source
    if _is_answer(cell):
        values = {"solution": answer_name(cell), **values}
        source = "" if _comes_from_reference(cell) else source
    if cell.marker.kind == "markdown":
        source = "\n".join(f"# {line}".rstrip() for line in source.split("\n"))
    kind = "" if cell.marker.kind == "code" else f" [{cell.marker.kind}]"
    said = "".join(f" {key}={json.dumps(value)}" for key, value in values.items())
    return f"# %%{kind}{said}\n{source}\n" if source else f"# %%{kind}{said}\n"


def answer_name(cell: SourceCell) -> str:
    """What an answer's cell is called."""
    from grader.authoring.lessons import read_cell

    return read_cell(cell).solution or ""


# ---------------------------------------------------------------- tables


def _mutant(mutant: Mutant) -> str:
    lines = [f"bug = {_toml(mutant.bug)}", f"loses = {_toml(list(mutant.loses))}"]
    for edit in mutant.edits:
        lines += [
            "",
            "[[edit]]",
            f"in = {_toml(edit.answer)}",
            f"old = {_toml(edit.old)}",
            f"new = {_toml(edit.new)}",
        ]
    return "\n".join(lines) + "\n"


def _fake(fake: WholeCell, given: str) -> str:
    head = f"# /// fake\n# pretends = {_toml(fake.pretends)}\n# at_most = {fake.at_most:g}\n# ///\n"
    return f"{head}\n\n{given}{fake.cell.source}\n"


def _table(course: Course, lesson: OneFile, title: str, used: Collection[str]) -> str:
    """`pyproject.toml` with the places that it does not name yet, and the assignment."""
    path = course.root / PYPROJECT
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n").rstrip("\n") + "\n"
    head = re.search(r"^\[tool\.grader\][^\n]*\n", text, re.M)
    if head is None:
        raise UsageError(
            "`[tool.grader]` has no line of its own",
            where=str(path),
            hint="write it so, then split",
        )
    said = read_table(path)
    wanted: dict[str, Any] = {"id": course.id, "title": course.title, "public": ["handout"]}
    wanted |= {"lessons": "lessons"} | {key: PLACES[key] for key in PLACES if key in used}
    lines = _lines({key: value for key, value in wanted.items() if key not in said})
    entry: dict[str, Any] = {"id": lesson.assignment, "title": title, **lesson.header.table}
    listed = [one.get("id") for one in said.get("assignments", [])]
    rest = text[head.end() :].rstrip("\n") + "\n"
    if lesson.assignment in listed:
        number = listed.index(lesson.assignment)
        more = {key: entry[key] for key in entry if key not in said["assignments"][number]}
        return text[: head.end()] + lines + _with_keys(rest, number, _lines(more))
    return f"{text[: head.end()]}{lines}{rest}\n[[tool.grader.assignments]]\n{_lines(entry)}"


def _with_keys(text: str, number: int, lines: str) -> str:
    """`pyproject.toml` with more lines at the head of one of its entries, if it has such heads."""
    heads = list(re.finditer(r"^\s*\[\[tool\.grader\.assignments\]\][^\n]*\n", text, re.M))
    if number >= len(heads):
        return text
    return text[: heads[number].end()] + lines + text[heads[number].end() :]


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())


def _toml(value: Any) -> str:
    """A value as TOML, in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, (str, bool, int, float)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)  # a moment
