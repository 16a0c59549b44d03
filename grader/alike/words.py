"""Code as sequences of words that are equal for equal code, whatever its author called things.

A definition becomes several sequences, one for each function and one for what a class holds
besides: so it makes no difference where a function stands. A word is a kind of node, an operator, a
number, or a name that the author did not choose: a library's counts by its last part, `nn.Linear`
as `torch.nn.Linear`. All names of the author's are one word, and all texts are one. Left out are
comments, docstrings, signatures, type hints, and how arguments are called. Statements that commute,
operands of `+` and `*`, and named arguments are put in an order of their own; `a > b` is `b < a`,
and `x += 1` is `x = x + 1`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from grader.alike.ordering import canonical_order
from grader.alike.trees import walk

OWN = "name"
TEXT = "text"

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)
_COMMUTING = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.Lt, ast.GtE: ast.LtE}
_SILENT = (ast.Pass, *IMPORTS, ast.Global, ast.Nonlocal)
_LEFT_OUT = frozenset(
    {"annotation", "returns", "type_comment", "ctx", "kind", "type_params", "args"}
)
"""Fields that say nothing: `args` are those of a `lambda`; calls have a way of their own."""


class Word(NamedTuple):
    """A word, and the number of the line that it comes from."""

    text: str
    line: int


Words = list[Word]


class Names(NamedTuple):
    """What names in a file mean.

    Attributes:
        bound: names that its author gave to variables, functions and classes.
        attributes: those that its author gave to attributes.
        imported: names of modules and of what comes from them, with what each is called there.
    """

    bound: frozenset[str]
    attributes: frozenset[str]
    imported: dict[str, str]


def read_names(nodes: Iterable[ast.AST], others: Iterable[ast.AST]) -> Names:
    """Find out what names mean in some definitions, given all other statements of their file."""
    bound: set[str] = set()
    attributes: set[str] = set()
    imports = [one for one in others if isinstance(one, IMPORTS)]
    for node in (part for top in nodes for part in walk(top)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            attributes.add(node.attr)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            bound.add(node.name)
            if isinstance(node, ast.ClassDef):
                attributes.update(_of_class(node))
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
        elif isinstance(node, IMPORTS):
            imports.append(node)
    imported = {
        alias.asname or alias.name.partition(".")[0]: alias.name.rpartition(".")[2]
        for node in imports
        for alias in node.names
    }
    return Names(frozenset(bound - set(imported)), frozenset(attributes), imported)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, FUNCTIONS):
            yield statement.name
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id
        elif isinstance(statement, ast.Assign):
            yield from (one.id for one in statement.targets if isinstance(one, ast.Name))


class Speller:
    """Spells definitions of one file.

    Args:
        names: what names mean there.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._line = 0
        self.sequences: list[Words] = []
        """What has been spelled so far."""
        self._ways: dict[type[ast.AST], Callable[[Any], Words]] = {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Constant: self._constant,
            ast.JoinedStr: self._text,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.Compare: self._compare,
            ast.Call: self._call,
            ast.Assign: self._assign,
            ast.AugAssign: self._changed,
            ast.AnnAssign: self._annotated,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
        }

    def add(self, statement: ast.stmt) -> None:
        """Spell a statement at the top of a file: what it defines, and itself if it says more."""
        words = [] if _says_nothing(statement) else self._words(statement)
        if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            self.sequences.append(words)

    def _words(self, node: ast.AST) -> Words:
        line = getattr(node, "lineno", 0)
        if line:
            self._line = line
        return self._ways.get(type(node), self._plain)(node)

    def _word(self, text: str) -> Word:
        return Word(text, self._line)

    def _plain(self, node: ast.AST) -> Words:
        """A node of which nothing particular is known: its kind, and all that it holds."""
        found = [self._word(type(node).__name__)]
        for field, value in ast.iter_fields(node):
            if field in _LEFT_OUT:
                continue
            if isinstance(value, ast.AST):
                found += self._words(value)
            elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                found += self._block(value)
            elif isinstance(value, list):
                for one in value:
                    if isinstance(one, ast.AST):
                        found += self._words(one)
        return found

    # ------------------------------------------------------------ statements

    def _block(self, statements: Sequence[ast.stmt]) -> Words:
        spoken = [one for one in statements if not _says_nothing(one)]
        spelled = [self._words(one) for one in spoken]
        order = canonical_order(spoken, [_key(words) for words in spelled])
        return [word for place in order for word in spelled[place]]

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Words:
        word = self._word("def")
        decorators = [word for one in node.decorator_list for word in self._words(one)]
        self.sequences.append(decorators + self._block(node.body))
        return [word]

    def _class(self, node: ast.ClassDef) -> Words:
        word = self._word("class")
        head = [part for one in (*node.decorator_list, *node.bases) for part in self._words(one)]
        inside = [part for part in self._block(node.body) if part.text != "def"]
        self.sequences.append([word, *head, *inside])
        return [word]

    def _assign(self, node: ast.Assign) -> Words:
        targets = [word for one in node.targets for word in self._words(one)]
        return [self._word("="), *targets, *self._words(node.value)]

    def _annotated(self, node: ast.AnnAssign) -> Words:
        assert node.value is not None  # else it says nothing
        return [self._word("="), *self._words(node.target), *self._words(node.value)]

    def _changed(self, node: ast.AugAssign) -> Words:
        value = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        return [self._word("="), *self._words(node.target), *self._words(value)]

    # ------------------------------------------------------------ expressions

    def _name(self, node: ast.Name) -> Words:
        imported = self._names.imported.get(node.id)
        own = OWN if node.id in self._names.bound else node.id
        return [self._word(imported or own)]

    def _attribute(self, node: ast.Attribute) -> Words:
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            base = base.value
        if isinstance(base, ast.Name) and base.id in self._names.imported:
            return [self._word(node.attr)]
        own = node.attr in self._names.attributes
        return [*self._words(node.value), self._word(f".{OWN if own else node.attr}")]

    def _constant(self, node: ast.Constant) -> Words:
        is_text = isinstance(node.value, (str, bytes))
        return [self._word(TEXT if is_text else repr(node.value)[:40])]

    def _text(self, _: ast.JoinedStr) -> Words:
        return [self._word(TEXT)]

    def _unary(self, node: ast.UnaryOp) -> Words:
        operand = self._words(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return [self._word(f"-{operand[0].text}")]
        return [self._word(type(node.op).__name__), *operand]

    def _binary(self, node: ast.BinOp) -> Words:
        sides = [self._words(node.left), self._words(node.right)]
        if isinstance(node.op, _COMMUTING):
            sides.sort(key=_key)
        return [self._word(type(node.op).__name__), *sides[0], *sides[1]]

    def _compare(self, node: ast.Compare) -> Words:
        if len(node.ops) > 1:
            return self._plain(node)
        kind = type(node.ops[0])
        sides = [self._words(node.left), self._words(node.comparators[0])]
        if kind in _TURNED:
            sides.reverse()
        elif kind in (ast.Eq, ast.NotEq):
            sides.sort(key=_key)
        return [self._word(_TURNED.get(kind, kind).__name__), *sides[0], *sides[1]]

    def _call(self, node: ast.Call) -> Words:
        found = [self._word("call"), *self._words(node.func)]
        for one in node.args:
            found += self._words(one)
        for words in sorted((self._words(one.value) for one in node.keywords), key=_key):
            found += words
        return found


def _key(words: Words) -> str:
    return " ".join(word.text for word in words)


def _says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is a docstring or another bare constant, a mere annotation or `pass`."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, _SILENT) or (isinstance(node, ast.AnnAssign) and node.value is None)
