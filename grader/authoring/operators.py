"""Mutation operators: the small mistakes that can be made anywhere in a definition.

Each takes a node of the syntax tree and yields what might stand there instead. They follow the
operators of the usual tools (mutmut, Cosmic Ray, mutatest) and add what these leave out and people
get wrong: swapped arguments and parameters, calls and statements left out, another attribute of
the same kind. docs/write-a-course.md says what was measured. Theirs are not used because ids must
stay the same from release to release: reasons why a mutant is equivalent are kept under them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

Operator = Callable[[Any], Iterator[ast.AST]]

BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip

BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip

OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip

_TWINS = (
    ("all", "any"), ("argmax", "argmin"), ("buffers", "parameters"), ("ceil", "floor"),
    ("cos", "sin"), ("cummax", "cummin"), ("cumprod", "cumsum"), ("eval", "train"),
    ("exp", "log"), ("float32", "float64"), ("isinf", "isnan"), ("items", "keys"),
    ("max", "min"), ("mean", "sum"), ("log_softmax", "softmax"), ("ones", "zeros"),
    ("ones_", "zeros_"), ("ones_like", "zeros_like"), ("parameters", "modules"),
    ("tril", "triu"), ("GELU", "ReLU"), ("gelu", "relu"), ("no_grad", "enable_grad"),
    ("bfloat16", "float16"), ("add", "sub"), ("floor", "round"),
    # of text, of arrays and of frames
    ("endswith", "startswith"), ("find", "rfind"), ("lower", "upper"), ("lstrip", "rstrip"),
    ("intersection", "union"), ("hstack", "vstack"), ("nanmax", "nanmin"), ("nanmean", "nansum"),
    ("bfill", "ffill"), ("head", "tail"), ("idxmax", "idxmin"), ("iloc", "loc"),
    ("isna", "notna"), ("nlargest", "nsmallest"),
)  # fmt: skip
TWINS: dict[str, str] = {b: a for a, b in _TWINS} | dict(_TWINS)
TWINS["inference_mode"] = "enable_grad"
TWINS["median"] = "mean"

COMMUTES = {"allclose", "equal", "gcd", "max", "maximum", "min", "minimum", "transpose", "swapaxes"}
"""Functions whose first arguments may come in any order."""

BUILTINS = {"all", "any", "max", "min"}
MODULES = {"F", "functional", "init", "itertools", "math", "nn", "np", "numpy", "torch"}


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, float):
        yield ast.Constant(2 * value if value else 1.0)
    elif isinstance(value, str) and value:
        yield ast.Constant(value + "_")


def _default(node: ast.expr) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and node.value is None:
        yield ast.Constant(0)
    elif isinstance(node, ast.Constant):
        yield from list(_constant(node))[:1]


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for number, operation in enumerate(node.ops):
        if other := OPPOSITE.get(type(operation)):
            yield _with_operation(node, number, other())


def _boundary(node: ast.Compare) -> Iterator[ast.AST]:
    for number, operation in enumerate(node.ops):
        if other := BOUNDARY.get(type(operation)):
            yield _with_operation(node, number, other())


def _with_operation(node: ast.Compare, number: int, operation: ast.cmpop) -> ast.Compare:
    operations = [*node.ops]
    operations[number] = operation
    return ast.Compare(node.left, operations, node.comparators)


def _binary(node: ast.BinOp | ast.AugAssign) -> Iterator[ast.AST]:
    if other := BINARY.get(type(node.op)):
        changed = copy.copy(node)
        changed.op = other()
        yield changed


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for number in range(len(node.values)):
        left = node.values[:number] + node.values[number + 1 :]
        yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if not isinstance(node.operand, ast.Constant):  # another constant stands for that
        yield node.operand


def _condition(node: ast.If | ast.While | ast.IfExp | ast.Assert) -> Iterator[ast.AST]:
    simple = isinstance(node.test, ast.Compare) and len(node.test.ops) == 1
    if simple or isinstance(node.test, ast.UnaryOp):
        return  # the same as another comparison, or as no `not`
    changed = copy.copy(node)
    changed.test = ast.UnaryOp(ast.Not(), node.test)
    yield changed


def _removed_statement(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assign):
        # without a plain name's only assignment nothing runs: that tries nobody's checks
        removable = all(isinstance(one, (ast.Attribute, ast.Subscript)) for one in node.targets)
    elif isinstance(node, ast.Expr):
        removable = not isinstance(node.value, ast.Constant)
    else:
        kinds = (ast.AugAssign, ast.Raise, ast.Break, ast.Continue, ast.Delete, ast.Assert)
        removable = isinstance(node, kinds)
    if removable:
        yield ast.Pass()


def _removed_with(node: ast.With) -> Iterator[ast.AST]:
    yield ast.If(ast.Constant(True), node.body, [])


def _removed_return(node: ast.If) -> Iterator[ast.AST]:
    """Leave out a branch that ends the function early."""
    if isinstance(node.body[-1], ast.Return) and not node.orelse:
        yield ast.Pass()


def _removed_decorator(node: ast.FunctionDef) -> Iterator[ast.AST]:
    for number in range(len(node.decorator_list)):
        changed = copy.copy(node)
        changed.decorator_list = node.decorator_list[:number] + node.decorator_list[number + 1 :]
        yield changed


def _removed_call(node: ast.Call) -> Iterator[ast.AST]:
    """`x.relu()` becomes `x`, `sqrt(x)` becomes `x`."""
    if isinstance(node.func, ast.Attribute) and not _is_a_place(node.func.value):
        yield node.func.value
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]


def _is_a_place(node: ast.expr) -> bool:
    """Whether an expression only says where a function is: a module, `self`, its parts."""
    if isinstance(node, ast.Name):
        return node.id in MODULES or node.id in ("self", "cls")
    if isinstance(node, ast.Attribute):
        return _is_a_place(node.value)
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def _swapped_arguments(node: ast.Call) -> Iterator[ast.AST]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in COMMUTES:
        return
    for number, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if not any(isinstance(part, ast.Starred) for part in (one, other)):
            arguments = [*node.args]
            arguments[number : number + 2] = [other, one]
            yield ast.Call(node.func, arguments, node.keywords)


def _dropped_keyword(node: ast.Call) -> Iterator[ast.AST]:
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            left = node.keywords[:number] + node.keywords[number + 1 :]
            yield ast.Call(node.func, node.args, left)


def _swapped_parameters(node: ast.FunctionDef) -> Iterator[ast.AST]:
    if node.name.startswith("_") and node.name != "__init__":
        return
    given = node.args.args
    first = 1 if given and given[0].arg in ("self", "cls") else 0
    required = len(given) - len(node.args.defaults)
    for number in range(first, len(given) - 1):
        if number + 1 == required:
            continue  # one has a default, the next one not: they can't change places
        changed, arguments = copy.copy(node), copy.copy(node.args)
        arguments.args = [*given]
        arguments.args[number : number + 2] = [given[number + 1], given[number]]
        if number >= required:
            at = number - required
            arguments.defaults = [*node.args.defaults]
            arguments.defaults[at : at + 2] = [arguments.defaults[at + 1], arguments.defaults[at]]
        changed.args = arguments
        yield changed


def _other_name(node: ast.Attribute) -> Iterator[ast.AST]:
    if other := TWINS.get(node.attr):
        yield ast.Attribute(node.value, other, node.ctx)


def _other_builtin(node: ast.Name) -> Iterator[ast.AST]:
    if node.id in BUILTINS:
        yield ast.Name(TWINS[node.id], node.ctx)


def _bound(node: ast.Slice) -> Iterator[ast.AST]:
    if node.lower is not None:
        yield ast.Slice(None, node.upper, node.step)
    if node.upper is not None:
        yield ast.Slice(node.lower, None, node.step)


def _exception(node: ast.Raise) -> Iterator[ast.AST]:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if isinstance(raised, ast.Name) and raised.id.endswith("Error"):
        other = ast.Name("RuntimeError" if raised.id != "RuntimeError" else "KeyError", ast.Load())
        yield ast.Raise(ast.Call(other, [ast.Constant("wrong")], []), None)


OPERATORS: tuple[tuple[str, tuple[type[ast.AST], ...], Operator], ...] = (
    ("constant", (ast.Constant,), _constant),
    ("comparison", (ast.Compare,), _comparison),
    ("boundary", (ast.Compare,), _boundary),
    ("binary", (ast.BinOp, ast.AugAssign), _binary),
    ("boolean", (ast.BoolOp,), _boolean),
    ("unary", (ast.UnaryOp,), _unary),
    ("condition", (ast.If, ast.While, ast.IfExp, ast.Assert), _condition),
    ("removed-statement", (ast.stmt,), _removed_statement),
    ("removed-with", (ast.With,), _removed_with),
    ("removed-return", (ast.If,), _removed_return),
    ("removed-decorator", (ast.FunctionDef,), _removed_decorator),
    ("removed-call", (ast.Call,), _removed_call),
    ("swapped-arguments", (ast.Call,), _swapped_arguments),
    ("dropped-keyword", (ast.Call,), _dropped_keyword),
    ("swapped-parameters", (ast.FunctionDef,), _swapped_parameters),
    ("other-attribute", (ast.Attribute,), _other_name),
    ("other-attribute", (ast.Name,), _other_builtin),
    ("slice", (ast.Slice,), _bound),
    ("exception", (ast.Raise,), _exception),
)


def mutations(node: ast.AST, owner: ast.AST, field: str) -> Iterator[tuple[str, ast.AST]]:
    """What might stand in a node's place, each with its operator's name.

    Args:
        node: any node of a definition.
        owner: the node that it hangs on.
        field: where it hangs there.
    """
    if isinstance(owner, ast.arguments) and field in ("defaults", "kw_defaults"):
        yield from (("default", other) for other in _default(node))  # type: ignore[arg-type]
        return
    for name, kinds, operator in OPERATORS:
        if isinstance(node, kinds):
            yield from ((name, other) for other in operator(node))
