"""A cell of checks, taken apart into test functions and what they have in common."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from grader.errors import SuiteError
from grader.lesson.cells import SourceCell
from grader.model import Value

Function = ast.FunctionDef | ast.AsyncFunctionDef


class CheckFunction(Value, frozen=True):
    """A test function.

    Attributes:
        name, title, hint: its own; the title is its docstring's first line, or its name in words.
        line: of its `def`, in its file.
        source: its text with its decorators and the comment above it.
        decorated: whether `@check(…)` stands there already.
        own_points: what it says there, if that is a number.
        fixtures: what it asks for: its arguments.
        points: what it earns; None if the decorator says so.
    """

    name: str
    title: str
    hint: str
    line: int
    source: str
    decorated: bool
    has_docstring: bool
    fixtures: tuple[str, ...]
    own_points: float | None = None
    points: float | None = None


class Helper(Value, frozen=True):
    """What is no test function: imports, functions, values."""

    source: str
    line: int


def parse(cell: SourceCell) -> ast.Module:
    """Parse a cell; its nodes have the lines of the file.

    Raises:
        SuiteError: it is not valid Python.
    """
    return _parsed(cell, cell.source, "mend it there")


def parse_plain(cell: SourceCell) -> ast.Module:
    """Parse a cell that a notebook runs, in which lines may be what only IPython knows.

    Raises:
        SuiteError: it is valid neither here nor there.
    """
    hint = 'mend it there, or mark a cell that is to fail with tags=["raises-exception"]'
    try:
        return _parsed(cell, cell.source, hint)
    except SuiteError:
        # only now: to load it takes a quarter of a second
        from IPython.core.inputtransformer2 import TransformerManager

        try:
            source = TransformerManager().transform_cell(cell.source)
        except SyntaxError:
            source = cell.source
        return _parsed(cell, source, hint)


def _parsed(cell: SourceCell, source: str, hint: str) -> ast.Module:
    try:
        return ast.parse("\n" * (cell.first - 1) + source)
    except (SyntaxError, ValueError) as error:  # the latter of a null byte
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        line = getattr(error, "lineno", None) or cell.line
        raise SuiteError(
            f"a cell is not valid Python: {said}", where=f"{cell.file}:{line}", hint=hint
        ) from None


def split_cell(cell: SourceCell) -> tuple[tuple[CheckFunction, ...], tuple[Helper, ...]]:
    """Take a cell of checks apart.

    Raises:
        SuiteError: it is not valid Python, or has a class of checks.
    """
    lines = cell.source.split("\n")
    functions: list[CheckFunction] = []
    helpers: list[Helper] = []
    done = 0
    for node in parse(cell).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            raise SuiteError(
                f"`{node.name}`: checks in a lesson are functions",
                where=f"{cell.file}:{node.lineno}",
                hint="leave the class out: the marker names the question",
            )
        if not (isinstance(node, Function) and node.name.startswith("test")):
            continue
        begin = min(part.lineno for part in (node, *node.decorator_list)) - cell.first
        while begin > done and lines[begin - 1].startswith("#"):
            begin -= 1
        _add_helper(helpers, lines, done, begin, cell)
        done = (node.end_lineno or node.lineno) - cell.first + 1
        functions.append(_function(node, "\n".join(lines[begin:done])))
    _add_helper(helpers, lines, done, len(lines), cell)
    return tuple(functions), tuple(helpers)


def reject_forgotten(cells: Sequence[SourceCell]) -> None:
    """Demand that in cells of checks what takes a submission is a check, or is used by one.

    Raises:
        SuiteError: it is a function that nobody would run.
    """
    trees = [(cell, parse(cell)) for cell in cells]
    nodes = [node for _, tree in trees for node in ast.walk(tree)]
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for cell, tree in trees:
        for node in tree.body:
            if not isinstance(node, Function) or node.name.startswith("test"):
                continue
            is_marked = any(map(_is_check_decorator, node.decorator_list))
            if node.name in used or not (is_marked or "submission" in _arguments(node)):
                continue
            raise SuiteError(
                f"`{node.name}` takes a submission, and nobody runs it",
                where=f"{cell.file}:{node.lineno}",
                hint=f"a check's name begins with `test`: test_{node.name}",
            )


def _arguments(node: Function) -> tuple[str, ...]:
    return tuple(one.arg for one in (*node.args.args, *node.args.kwonlyargs))


def _add_helper(
    helpers: list[Helper], lines: list[str], begin: int, end: int, cell: SourceCell
) -> None:
    text = "\n".join(lines[begin:end])
    if text.strip():
        helpers.append(Helper(text.strip("\n"), cell.first + begin))


def _function(node: Function, source: str) -> CheckFunction:
    said = ast.get_docstring(node) or ""
    hint = re.search(r"^Hint:\s*(.+?)(?:\n\s*\n|\Z)", said, re.M | re.S)
    title = said.partition("\n")[0].strip()
    return CheckFunction(
        name=node.name,
        title=title or _in_words(node.name),
        hint=" ".join(hint[1].split()) if hint else "",
        line=node.lineno,
        source=source,
        decorated=any(map(_is_check_decorator, node.decorator_list)),
        has_docstring=bool(title),
        fixtures=_arguments(node),
        own_points=_own_points(node),
    )


def _is_check_decorator(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return bool(name == "check")


def _own_points(node: Function) -> float | None:
    """What its decorator says that it earns, where that is written as a number."""
    said = [
        keyword.value.value
        for one in node.decorator_list
        if isinstance(one, ast.Call) and _is_check_decorator(one)
        for keyword in one.keywords
        if keyword.arg == "points" and isinstance(keyword.value, ast.Constant)
    ]
    return float(said[0]) if said and isinstance(said[0], (int, float)) else None


def _in_words(name: str) -> str:
    words = name.removeprefix("test").strip("_").replace("_", " ") or name
    return words[:1].upper() + words[1:]
