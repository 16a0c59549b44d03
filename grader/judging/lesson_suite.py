"""The checks of a lesson in one file, for pytest, and the reference that its answers make.

The check cells are run in one namespace, in their order, each compiled with the lines of its file:
what goes wrong is found where it was written. Their functions become the classes that a file of
checks would have, one for each question.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

from grader.errors import GraderError, SuiteError
from grader.judging.loading import LOAD_S, describe, hint_for
from grader.judging.processor_time import Overrun, at_most
from grader.lesson.cells import SourceCell
from grader.lesson.functions import CheckFunction, parse, parse_plain
from grader.lesson.one_file import CheckCell, OneFile, read_one_file, word
from grader.testing import CheckSpec, check

PREPARING = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign,
    ast.AnnAssign,
)  # fmt: skip
"""The statements of plain cells that answers may build on; what is only shown is left out."""


class LessonSuite:
    """A lesson's checks as a module, and its answers as another.

    Args:
        path: the lesson.
        package: the course's reference, whose names the lesson's reference has as well.
        load_s: how much processor time each of its cells may take.

    Raises:
        ReleaseError, SuiteError: with `file:line` of what can't be used.
    """

    def __init__(self, path: Path, package: ModuleType | None, load_s: float = LOAD_S) -> None:
        self.lesson = read_one_file(path)
        self.reference = _reference(self.lesson, package, load_s)
        self.module = _checks(self.lesson, load_s)


class LessonModule(pytest.Module):
    """A lesson in one file, as pytest collects it."""

    of_lesson: ModuleType

    def _getobj(self) -> ModuleType:
        return self.of_lesson


def _checks(lesson: OneFile, load_s: float) -> ModuleType:
    module = ModuleType(lesson.path.stem)
    module.__file__ = str(lesson.path)
    names = vars(module)
    members: dict[str, dict[str, object]] = {one.id: {} for one in lesson.questions}
    for one in lesson.checks:
        tree = parse(one.cell)
        rewrite_asserts(tree, one.cell.source.encode(), str(lesson.path))
        _run(tree, one.cell, names, "a cell of checks", load_s)
        for function in one.functions:
            members[one.question][function.name] = staticmethod(_marked(names, function, one))
    for question in lesson.questions:
        attributes = {"__doc__": question.title, "bonus": question.bonus, **members[question.id]}
        names[f"Test{question.id}"] = type(f"Test{question.id}", (), attributes)
    return module


def _marked(names: dict[str, Any], function: CheckFunction, cell: CheckCell) -> Any:
    """A test function with its points, taken out of the namespace: pytest looks there, too."""
    made = names.pop(function.name)
    if function.points is not None:
        made = check(points=function.points, hint=function.hint)(made)
    if not function.has_docstring:
        made.__doc__ = function.title
    spec: CheckSpec = made.__grader_check__
    made.__grader_check__ = spec.told(public=cell.public, hint=function.hint)
    return made


def _reference(lesson: OneFile, package: ModuleType | None, load_s: float) -> ModuleType:
    """What the solved notebook defines.

    Raises:
        SuiteError: an answer can't be run.
    """
    module = ModuleType(f"{lesson.path.stem}_reference")
    names = vars(module)
    if package is not None:
        names.update({name: value for name, value in vars(package).items() if name[:2] != "__"})
    missed = ""
    for cell in lesson.cells:
        if cell.marker.kind != "code" or "question" in cell.marker.values:
            continue
        if word(cell) == "solution" or "solution" in cell.marker.values:
            hint = f"before it, {missed}" if missed else ""
            _run(parse(cell), cell, names, "an answer", load_s, hint)
        elif not cell.marker.words:
            for statement in preparing(cell):
                try:
                    _run(ast.Module([statement], []), cell, names, "a cell", load_s)
                except _TooLong:
                    raise
                except SuiteError as error:  # only students have it, perhaps
                    missed = missed or f"{error.message} ({error.where})"
    return module


def preparing(cell: SourceCell) -> Iterator[ast.stmt]:
    """Yield the statements of a plain cell that define something, and need no IPython for it."""
    try:
        body = parse_plain(cell).body
    except SuiteError:  # one that is there to fail
        return
    for statement in body:
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        if isinstance(statement, PREPARING) and "get_ipython" not in names:
            yield statement


class _TooLong(SuiteError):
    """A cell that takes too long here does so with students, too."""


def _run(
    tree: ast.Module,
    cell: SourceCell,
    names: dict[str, object],
    what: str,
    load_s: float,
    hint: str = "",
) -> None:
    """Run a cell, or a part of one.

    Raises:
        SuiteError: it raised or takes too long, with `file:line` of the place in the lesson.
    """
    try:
        with at_most(load_s):
            exec(compile(tree, cell.file, "exec", dont_inherit=True), names)
    except GraderError:
        raise
    except BaseException as error:  # also what would end this process without a word
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == cell.file]
        line = lines[-1] if lines else getattr(error, "lineno", None) or cell.first
        kind = _TooLong if isinstance(error, Overrun) else SuiteError
        raise kind(
            f"{what} can't be run: {describe(error, load_s)}",
            where=f"{cell.file}:{line}",
            hint=hint_for(error) or hint,
        ) from None
