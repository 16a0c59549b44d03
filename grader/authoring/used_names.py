"""Which names a text makes use of, and which definitions that takes."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping


def needed(definitions_by_name: Mapping[str, str], used: Collection[str]) -> set[str]:
    """Which definitions are used, by name, or by another one that is."""
    found: set[str] = set()
    wanted = set(used)
    while new := (wanted & definitions_by_name.keys()) - found:
        found |= new
        wanted = set().union(*(names_used(definitions_by_name[name]) for name in new))
    return found


def names_used(source: str) -> set[str]:
    """The names that a text makes use of: in code, or spelled in a string, but in no docstring.

    Annotations are not used; nor are names that are taken from the reference, or from a module by
    `submission.module(…)`: those are no student's.
    """
    visitor = _Names()
    for node in statements(source):
        visitor.visit(node)
    return visitor.found


class _Names(ast.NodeVisitor):
    """Collects names on its way through a text."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        self.found.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not _is_staff(node.value):
            self.found.add(node.attr)
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value.isidentifier():
            self.found.add(node.value)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg is not None:
            self.found.add(node.arg)
        self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Pass by a parameter and its annotation."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all(filter(None, (node.target, node.value)))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_all((*node.decorator_list, node.args, *node.body))

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


def _is_staff(owner: ast.expr) -> bool:
    """Whether an expression is the reference, or a module that a check asked for by name."""
    if isinstance(owner, ast.Call):
        return isinstance(owner.func, ast.Attribute) and owner.func.attr == "module"
    return isinstance(owner, ast.Name) and owner.id == "reference"


def statements(source: str) -> list[ast.stmt]:
    """The statements of a text; none where only IPython would understand it."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []
