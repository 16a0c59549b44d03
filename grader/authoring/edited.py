"""A generated mutant as a change of the text that somebody wrote, with its comments and layout.

Mutants are made of syntax trees, which know neither. Here the one statement that differs is written
anew into the text: only its first lines where the rest of it, a body, stays as it is.
"""

from __future__ import annotations

import ast
import copy
import difflib
import textwrap
from collections.abc import Iterator

CONTEXT = 2
"""Lines around a change that a diff shows."""


def edited_text(source: str, statement: ast.stmt, changed: ast.AST, after: str) -> str:
    """Return a text with a statement changed; empty if that can't be done so that it says the same.

    Args:
        source: the text.
        statement: one of its statements, as it was parsed.
        changed: what takes its place.
        after: what the whole comes to, without docstrings, as `ast.unparse` writes it.
    """
    for start, end, text in _replacements(source, statement, changed):
        edited = source[:start] + textwrap.indent(text, " " * statement.col_offset).lstrip(" ")
        edited += source[end:]
        try:
            if ast.unparse(bare(ast.parse(edited))) == after:
                return edited
        except SyntaxError:
            continue
    return ""


def _replacements(
    source: str, statement: ast.stmt, changed: ast.AST
) -> Iterator[tuple[int, int, str]]:
    """Places in a text and what to write there, the smallest first."""
    decorators = getattr(statement, "decorator_list", [])
    first_line = min([statement.lineno, *(one.lineno for one in decorators)])
    start = _offset(source, first_line, statement.col_offset)
    body_line = _body_line(source, statement)
    if body_line is not None and isinstance(changed, type(statement)):
        head = copy.copy(changed)
        head.body = [ast.Pass()]  # type: ignore[attr-defined]
        head.orelse = []  # type: ignore[attr-defined]
        text = ast.unparse(head).rpartition("\n")[0]
        if source[start:].startswith("elif"):
            text = f"el{text}"
        yield start, _offset(source, body_line, 0) - 1, text
    assert statement.end_lineno is not None
    assert statement.end_col_offset is not None
    end = _offset(source, statement.end_lineno, statement.end_col_offset)
    yield start, end, ast.unparse(changed)


def _body_line(source: str, statement: ast.stmt) -> int | None:
    """The line after the head of a statement with a body; None where they share one."""
    for node in ast.walk(ast.parse(source)):  # a docstring may be gone from `statement`
        if isinstance(node, type(statement)) and node.lineno == statement.lineno:
            body = getattr(node, "body", [])
            if not body or isinstance(body, ast.expr):
                return None
            line = min(part.lineno for part in (body[0], *getattr(body[0], "decorator_list", [])))
            return line if line > node.lineno else None
    return None


def _offset(source: str, line: int, column: int) -> int:
    """Where a line and a column, in bytes, are in a text."""
    lines = source.split("\n")
    before = sum(len(one) + 1 for one in lines[: line - 1])
    return before + len(lines[line - 1].encode()[:column].decode())


def unified(source: str, edited: str, *, path: str, name: str, first_line: int) -> str:
    """Return the unified diff of a text.

    Args:
        source: as it is.
        edited: as it would be.
        path: its file.
        name: of the change.
        first_line: where the text begins in its file.
    """
    lines = list(
        difflib.unified_diff(
            source.split("\n"), edited.split("\n"), path, name, lineterm="", n=CONTEXT
        )
    )
    return "\n".join(_moved(line, first_line - 1) for line in lines)


def _moved(line: str, by: int) -> str:
    """A line of a diff; the numbers in a hunk's head are those of the file."""
    if not line.startswith("@@ "):
        return line
    _, old, new, *_ = line.split(" ")
    moved = []
    for span in (old, new):
        number, comma, count = span[1:].partition(",")
        moved.append(f"{span[0]}{int(number) + by}{comma}{count}")
    return f"@@ {moved[0]} {moved[1]} @@"


def changed_line(source: str, edited: str) -> int:
    """The first line of a text that a change concerns, counted from 1."""
    old, new = source.split("\n"), edited.split("\n")
    same = (number for number, (a, b) in enumerate(zip(old, new, strict=False), 1) if a != b)
    return next(same, min(len(old), len(new)))


def bare(tree: ast.Module) -> ast.Module:
    """A text without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body[0] = ast.Pass()
                if len(node.body) > 1:
                    del node.body[0]
    return tree
