"""A cell of asserts about a notebook's own names, as a check on a submission.

    assert mean([1, 2]) == 1.5        assert submission.mean([1, 2]).value() == 1.5

Names that are no builtins, imports or the cell's own are the submission's. What is asked of one
is fetched where it is used here; what is passed on to it stays over there. What can't be carried
over stays as a comment.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

BUILTINS = frozenset(dir(builtins))
PLAIN_TYPES = frozenset(
    {"int", "float", "str", "bool", "list", "tuple", "dict", "set", "bytes", "complex"}
)
LOOKS_INSIDE = frozenset(
    {"callable", "type", "hasattr", "getattr", "setattr", "dir", "vars", "id", "globals", "locals"}
    | {"help", "eval", "exec", "isinstance", "issubclass"}
)
LOOKING_MODULES = frozenset({"inspect", "unittest", "mock", "sys", "ast"})
EQUAL = frozenset({"assert_equal", "assert_equals", "assertEqual", "eq_"})
TRUE = frozenset({"assert_true", "assertTrue", "ok_"})
FALSE = frozenset({"assert_false", "assertFalse"})
RAISES = frozenset({"assert_raises", "assertRaises", "raises"})


@dataclass
class Converted:
    """The body of a check.

    Attributes:
        lines: its statements; those that could not be carried over as comments.
        imports: import statements of the notebook that it needs.
        helpers: names of `grader.testing` that it needs.
        notes: what a person has to look at.
        asserts: how many comparisons it makes.
    """

    lines: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    asserts: int = 0


class _LeftOver(Exception):
    """A statement can't be carried over."""


def convert(source: str, imported: Mapping[str, str], printed: str = "") -> Converted:
    """Carry a cell of asserts over.

    Args:
        source: the cell.
        imported: import statements of the notebook by the name that they give.
        printed: what the cell has shown, if that is what must come out again.

    Raises:
        SyntaxError: it is not valid Python.
    """
    body = ast.parse(source).body
    made = Converted()
    done: list[ast.stmt | str] = []
    rewriter = _Rewriter(_own_names(body), imported)
    for number, statement in enumerate(body):
        expected = printed if number == len(body) - 1 else ""
        try:
            for new in _statement(statement, rewriter, made, expected):
                done.append(ast.fix_missing_locations(new))
        except _LeftOver as reason:
            made.notes.append(f"`{_short(statement)}` is left out: {reason}")
            text = ast.get_source_segment(source, statement) or ast.unparse(statement)
            done.append("\n".join(f"# {line}" for line in text.split("\n")))
    made.lines = list(_lines(done))
    made.imports = [imported[name] for name in imported if name in rewriter.modules]
    if not made.asserts:
        made.notes.append("it compares nothing")
    return made


def _lines(done: Iterable[ast.stmt | str]) -> Iterator[str]:
    """The lines of statements and comments, without imports that nothing needs any more."""
    done = list(done)
    trees = [one for one in done if not isinstance(one, str | ast.Import | ast.ImportFrom)]
    names = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for one in done:
        if isinstance(one, ast.Import | ast.ImportFrom):
            kept = [a for a in one.names if (a.asname or a.name.partition(".")[0]) in names]
            one.names = kept or one.names
            if not kept:
                continue
        yield from (one if isinstance(one, str) else ast.unparse(one)).split("\n")


def imports_of(sources: Iterable[str]) -> dict[str, str]:
    """The import statements of cells by the names that they give."""
    found: dict[str, str] = {}
    for source in sources:
        for node in _statements(source):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    found[name] = ast.unparse(node)
    return found


def _statements(source: str) -> list[ast.stmt]:
    lines = ("pass" if line.startswith(("%", "!")) else line for line in source.split("\n"))
    try:
        return ast.parse("\n".join(lines)).body
    except SyntaxError:
        return []


def _own_names(body: list[ast.stmt]) -> set[str]:
    """The names that a cell gives itself."""
    found: set[str] = set()
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


class _Rewriter(ast.NodeTransformer):
    """Puts the submission where a notebook's names stand.

    Attributes:
        modules: imported names of the notebook that were met.
    """

    def __init__(self, own: set[str], imported: Mapping[str, str]) -> None:
        self.own = own
        self.imported = imported
        self.modules: set[str] = set()

    def visit(self, node: ast.AST) -> ast.AST:
        """Fetch what is the submission's; go on below in all else."""
        if isinstance(node, ast.expr) and self.is_theirs(node):
            return _called(self.handle(node), "value")
        if isinstance(node, ast.Name) and node.id in self.imported and node.id not in self.own:
            self.modules.add(node.id)
        if isinstance(node, ast.Call):
            self._refuse_what_looks_inside(node)
        found: ast.AST = super().visit(node)
        return found

    def handle(self, node: ast.expr) -> ast.expr:
        """The same about the submission's object, without fetching it."""
        if isinstance(node, ast.Name):
            return ast.Attribute(ast.Name("submission", ast.Load()), node.id, ast.Load())
        if isinstance(node, ast.Attribute):
            return ast.Attribute(self.handle(node.value), node.attr, ast.Load())
        if isinstance(node, ast.Subscript):
            return ast.Subscript(self.handle(node.value), self.visited(node.slice), ast.Load())
        assert isinstance(node, ast.Call)
        keywords = [ast.keyword(one.arg, self._passed(one.value)) for one in node.keywords]
        return ast.Call(self.handle(node.func), list(map(self._passed, node.args)), keywords)

    def _passed(self, node: ast.expr) -> ast.expr:
        return self.handle(node) if self.is_theirs(node) else self.visited(node)

    def visited(self, node: ast.expr) -> ast.expr:
        """What takes an expression's place."""
        found = self.visit(node)
        assert isinstance(found, ast.expr)
        return found

    def is_theirs(self, node: ast.AST) -> bool:
        """Whether an expression begins with a name of the submission's."""
        if isinstance(node, ast.Name):
            known = node.id in self.own or node.id in self.imported or node.id in BUILTINS
            return isinstance(node.ctx, ast.Load) and not known
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return isinstance(node.ctx, ast.Load) and self.is_theirs(node.value)
        return isinstance(node, ast.Call) and self.is_theirs(node.func)

    def _refuse_what_looks_inside(self, node: ast.Call) -> None:
        """Stop where a value does not tell what is asked.

        Raises:
            _LeftOver: it asks what an object is, not what it does.
        """
        root: ast.expr = node.func
        while isinstance(root, ast.Attribute):
            root = root.value
        name = root.id if isinstance(root, ast.Name) else ""
        touched = any(map(self.is_theirs, node.args))
        if name == "isinstance" and len(node.args) == 2 and _is_plain_type(node.args[1]):
            return
        if touched and (name in LOOKS_INSIDE or name in LOOKING_MODULES):
            raise _LeftOver(f"`{name}` asks what an object is: check what it does")


def _is_plain_type(node: ast.expr) -> bool:
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(isinstance(name, ast.Name) and name.id in PLAIN_TYPES for name in names)


# ---------------------------------------------------------------- statements


def _statement(
    node: ast.stmt, rewriter: _Rewriter, made: Converted, printed: str
) -> Iterator[ast.stmt]:
    """What takes a statement's place.

    Raises:
        _LeftOver: nothing does.
    """
    if isinstance(node, ast.Expr):
        yield from _expression(node.value, rewriter, made, printed)
    elif isinstance(node, ast.Try):
        yield _tried(node, rewriter, made)
    elif isinstance(node, ast.With):
        yield _within(node, rewriter, made)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        raise _LeftOver("a definition: write a check of it")
    else:
        if any(isinstance(one, (ast.Try, ast.With)) for one in ast.walk(node)):
            raise _LeftOver("`try` or `with` inside of it")
        visited = rewriter.visit(node)
        made.asserts += sum(isinstance(one, ast.Assert) for one in ast.walk(visited))
        assert isinstance(visited, ast.stmt)
        yield visited


def _expression(
    node: ast.expr, rewriter: _Rewriter, made: Converted, printed: str
) -> Iterator[ast.stmt]:
    name = _name_of_call(node)
    arguments = node.args if isinstance(node, ast.Call) else []
    if name in EQUAL and len(arguments) >= 2:
        yield _asserted(ast.Compare(arguments[0], [ast.Eq()], [arguments[1]]), rewriter, made)
    elif name in TRUE and arguments:
        yield _asserted(arguments[0], rewriter, made)
    elif name in FALSE and arguments:
        yield _asserted(ast.UnaryOp(ast.Not(), arguments[0]), rewriter, made)
    elif name in RAISES and len(arguments) >= 2:
        assert isinstance(node, ast.Call)
        called = ast.Call(arguments[1], arguments[2:], node.keywords)
        yield _raising(arguments[0], [ast.Expr(called)], rewriter, made)
    elif printed:
        yield _shown(node, rewriter, made, printed)
    elif isinstance(node, ast.Constant):
        return  # a string that says something
    elif rewriter.is_theirs(node):
        yield ast.Expr(_called(rewriter.handle(node), "done"))
    else:
        yield ast.Expr(rewriter.visited(node))


def _shown(node: ast.expr, rewriter: _Rewriter, made: Converted, printed: str) -> ast.stmt:
    """What a cell shows at its end must come out again."""
    if _name_of_call(node) == "print":
        assert isinstance(node, ast.Call)
        if len(node.args) != 1 or node.keywords:
            raise _LeftOver("what it prints has several parts")
        text = ast.Call(ast.Name("str", ast.Load()), [node.args[0]], [])
        return _asserted(ast.Compare(text, [ast.Eq()], [ast.Constant(printed)]), rewriter, made)
    try:
        expected: ast.expr = ast.parse(printed, mode="eval").body
        ast.literal_eval(expected)
    except (SyntaxError, ValueError):
        made.notes.append("it compares how a value is written: compare the value")
        node = ast.Call(ast.Name("repr", ast.Load()), [node], [])
        expected = ast.Constant(printed)
    return _asserted(ast.Compare(node, [ast.Eq()], [expected]), rewriter, made)


def _asserted(node: ast.expr, rewriter: _Rewriter, made: Converted) -> ast.stmt:
    test = rewriter.visited(node)
    made.asserts += 1
    return ast.Assert(test)


def _within(node: ast.With, rewriter: _Rewriter, made: Converted) -> ast.stmt:
    item = node.items[0]
    context = item.context_expr
    is_plain = len(node.items) == 1 and item.optional_vars is None
    if is_plain and _name_of_call(context) in RAISES:
        assert isinstance(context, ast.Call)
        if context.args:
            return _raising(context.args[0], node.body, rewriter, made)
    raise _LeftOver("a `with` that is not about an exception")


def _tried(node: ast.Try, rewriter: _Rewriter, made: Converted) -> ast.stmt:
    """`try: f() … except ValueError: pass … else: raise` demands an exception."""
    handlers, body = node.handlers, list(node.body)
    fails = bool(node.orelse) and _fails(node.orelse[-1])
    if not fails and len(body) > 1 and _fails(body[-1]):
        body, fails = body[:-1], True
    passes = len(handlers) == 1 and all(isinstance(one, ast.Pass) for one in handlers[0].body)
    if not (fails and passes and handlers[0].type is not None and not node.finalbody):
        raise _LeftOver("exceptions of a submission are no exceptions here: use `raises`")
    return _raising(handlers[0].type, body, rewriter, made)


def _fails(node: ast.stmt) -> bool:
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and not node.test.value
    )


def _raising(
    kind: ast.expr, body: list[ast.stmt], rewriter: _Rewriter, made: Converted
) -> ast.stmt:
    names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    inside: list[ast.stmt] = []
    for statement in body:
        inside += _statement(statement, rewriter, Converted(), "")
    made.helpers.add("raises")
    made.asserts += 1
    told: list[ast.expr] = [ast.Constant(ast.unparse(name).rpartition(".")[2]) for name in names]
    call = ast.Call(ast.Name("raises", ast.Load()), told, [])
    return ast.With([ast.withitem(call)], inside)


def _called(node: ast.expr, method: str) -> ast.Call:
    return ast.Call(ast.Attribute(node, method, ast.Load()), [], [])


def _name_of_call(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    called = node.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _short(node: ast.stmt) -> str:
    line = ast.unparse(node).split("\n")[0]
    return line if len(line) <= 60 else f"{line[:57]}…"
