"""What code defines, as digests that are equal for equal code, whatever its names and comments.

A notebook's cells are read here, behind the wall, by a worker in which nothing of them has run; the
course's own text is read by the judge, which trusts it.

A definition's form is its syntax tree without docstrings, annotations and `pass`; the names that it
binds, and attributes of `self`, are numbered in the order in which they come; texts are all alike.
A library's name counts by its last part: `nn.Linear` is `torch.nn.Linear`.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

LEAST_NODES = 50
"""A smaller definition may be the same by chance: there are not many ways to write it."""

MOST_CHARACTERS = 1 << 19
"""Of a cell that is looked into: whoever hands in more is not read by people either."""

MOST_DEFINITIONS = 5000

DEPTH = 2
"""So deep may code lie in a text within code, as in `exec` or below `%%time`."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LEFT_OUT = frozenset(
    {"annotation", "returns", "type_comment", "ctx", "kind", "lineno", "type_params"}
)


class Definition(NamedTuple):
    """A class or function: its dotted name, and the digest of its form."""

    name: str
    digest: str


def definitions(source: str) -> list[Definition]:
    """Return every class and function of some size, also nested ones and those within texts.

    What is no Python has none.
    """
    found: list[Definition] = []
    _collect(source, DEPTH, found)
    return found


def read_cells(sources: Iterable[str]) -> list[list[str]]:
    """Return the digests of each cell's definitions."""
    return [[one.digest for one in definitions(source)] for source in sources]


def _collect(source: str, depth: int, found: list[Definition]) -> None:
    if len(source) > MOST_CHARACTERS or not _may_define(source):
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for name, node in _nodes(tree):
        if len(found) >= MOST_DEFINITIONS:
            return
        form = _Form(node)
        if form.size >= LEAST_NODES:
            found.append(Definition(name, form.digest()))
    if depth > 1:
        for text in _texts(tree):
            _collect(text, depth - 1, found)


def _may_define(source: str) -> bool:
    return "def " in source or "class " in source


def _nodes(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Classes and functions with their dotted names, in no particular order."""
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                yield f"{prefix}{child.name}", child
                waiting.append((f"{prefix}{child.name}.", child))
            else:
                waiting.append((prefix, child))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value:
            yield node.value


class _Form:
    """The form of one definition, as a list of words; `size` counts its nodes."""

    def __init__(self, node: ast.AST) -> None:
        self.size = 0
        self._words: list[str] = []
        self._bound, self._own = _bound_in(node)
        self._numbers: dict[str, int] = {}
        try:
            self._add(node)
        except RecursionError:
            self.size = 0  # deeper than anybody writes by hand: nothing to compare with

    def digest(self) -> str:
        """A digest of the form."""
        return hashlib.blake2b("\0".join(self._words).encode(), digest_size=16).hexdigest()

    def _add(self, value: Any) -> None:
        if isinstance(value, ast.AST):
            self._node(value)
        elif isinstance(value, list):
            self._words.append("[")
            for one in value:
                if not _says_nothing(one):
                    self._add(one)
            self._words.append("]")
        elif isinstance(value, (str, bytes)):
            self._words.append("text")
        else:
            self._words.append(repr(value)[:100])

    def _node(self, node: ast.AST) -> None:
        self.size += 1
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            node = ast.Assign(targets=[node.target], value=node.value)
        if isinstance(node, ast.Attribute) and self._is_librarys(node):
            self._words.append(f".{node.attr}")
            return
        self._words.append(type(node).__name__)
        for field, value in ast.iter_fields(node):
            if field in LEFT_OUT:
                continue
            if type(value) is str and not isinstance(node, ast.Constant):
                self._words.append(self._name(node, value))
            elif field == "names" and isinstance(node, (ast.Global, ast.Nonlocal)):
                self._words += [self._number(name) for name in value]
            else:
                self._add(value)

    def _is_librarys(self, node: ast.Attribute) -> bool:
        """Whether it is looked up in something that the definition does not bind: `torch.nn.X`."""
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            base = base.value
        return isinstance(base, ast.Name) and base.id not in self._bound

    def _name(self, node: ast.AST, name: str) -> str:
        if isinstance(node, ast.keyword):
            return name
        if isinstance(node, ast.Attribute):
            return self._number(f".{name}") if name in self._own else f".{name}"
        if isinstance(node, ast.Name) and name not in self._bound and hasattr(builtins, name):
            return name
        is_method = isinstance(node, (*FUNCTIONS, ast.ClassDef)) and name in self._own
        return self._number(f".{name}" if is_method else name)

    def _number(self, name: str) -> str:
        return f"${self._numbers.setdefault(name, len(self._numbers))}"


def _bound_in(node: ast.AST) -> tuple[set[str], set[str]]:
    """The names that a definition binds, and the attributes that are its own."""
    names: set[str] = set()
    own: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        elif isinstance(part, ast.arg):
            names.add(part.arg)
        elif isinstance(part, (*FUNCTIONS, ast.ClassDef)):
            names.add(part.name)
        elif isinstance(part, ast.ExceptHandler):
            names.update(filter(None, [part.name]))
        elif isinstance(part, ast.alias):
            names.add((part.asname or part.name).partition(".")[0])
        elif isinstance(part, ast.Attribute) and _is_self(part.value):
            own.add(part.attr)
        if isinstance(part, ast.ClassDef):
            own.update(one.name for one in part.body if isinstance(one, FUNCTIONS))
    return names, own


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _says_nothing(node: Any) -> bool:
    """Whether a statement is a docstring, a bare constant, a mere annotation or `pass`."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.AnnAssign) and node.value is None)
