"""Which statements of a file are its answers: what was asked for by name, and what that uses."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from grader.alike.trees import walk

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


def stub_names(statements: Iterable[ast.stmt]) -> list[str]:
    """Return the functions and classes of a template that are left to students.

    They are those in which some function has nothing to do but to say that it is not there yet.
    """
    return [
        one.name
        for one in statements
        if isinstance(one, DEFINITIONS)
        and any(isinstance(part, FUNCTIONS) and _is_stub(part) for part in walk(one))
    ]


def _is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if len(body) != 1 or not isinstance(body[0], ast.Raise):
        return False
    raised = body[0].exc.func if isinstance(body[0].exc, ast.Call) else body[0].exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def find_answers(
    statements: Sequence[ast.stmt], asked: Collection[str]
) -> dict[str, list[ast.stmt]]:
    """Return for each name that was asked for what defines it, and every helper that it needs.

    Where nothing is asked for by name, every function and class is an answer, without helpers.
    Helpers are what the file itself binds at its top: functions, classes, constants; and what is
    set on one of them afterwards, such as `Model.forward = forward`.
    """
    binding: dict[str, list[ast.stmt]] = defaultdict(list)
    for statement in top_statements(statements):
        for name in _bound_by(statement):
            binding[name].append(statement)
    if not asked:
        return {n: b for n, b in binding.items() if any(isinstance(one, DEFINITIONS) for one in b)}
    needs: dict[int, set[str]] = {}
    return {name: _closure(name, binding, needs) for name in asked if name in binding}


def _closure(
    name: str, binding: dict[str, list[ast.stmt]], needs: dict[int, set[str]]
) -> list[ast.stmt]:
    """Whatever a name needs; `needs` remembers what each statement does."""
    reached = {name}
    waiting = [name]
    while waiting:
        for statement in binding[waiting.pop()]:
            if id(statement) not in needs:
                needs[id(statement)] = _named_in(statement) & binding.keys()
            found = needs[id(statement)] - reached
            reached |= found
            waiting += found
    kept = {id(one): one for each in reached for one in binding[each]}
    return sorted(kept.values(), key=lambda one: one.lineno)


def top_statements(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements at the top of a file, also those below an `if`, `try` or `with` there."""
    for one in statements:
        if isinstance(one, (ast.If, ast.Try, ast.With)):
            yield from top_statements(
                [part for part in ast.iter_child_nodes(one) if isinstance(part, ast.stmt)]
            )
        else:
            yield one


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds, or on whose value it sets something; no imports."""
    if isinstance(statement, DEFINITIONS):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _roots(target)
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        yield from _roots(statement.target)


def _roots(target: ast.expr) -> Iterator[str]:
    """The variables that a target begins with: `Model` of `Model.forward`."""
    if isinstance(target, (ast.Tuple, ast.List)):
        for one in target.elts:
            yield from _roots(one)
        return
    while isinstance(target, (ast.Attribute, ast.Subscript, ast.Starred)):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id


def _named_in(statement: ast.stmt) -> set[str]:
    """The names of the file's that a statement needs: none that a function in it has for itself."""
    if isinstance(statement, ast.ClassDef):
        head = [*statement.bases, *statement.decorator_list]
        found = {node.id for one in head for node in walk(one) if isinstance(node, ast.Name)}
        return found.union(*map(_named_in, statement.body))
    loaded: set[str] = set()
    own: set[str] = set()
    for node in walk(statement):
        if isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else own).add(node.id)
        elif isinstance(node, ast.arg):
            own.add(node.arg)
    return loaded - own if isinstance(statement, FUNCTIONS) else loaded
