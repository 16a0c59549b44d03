"""One order for statements that may stand in several.

Which of two comes first is up to whoever writes, as long as neither needs what the other makes. It
need not be sound, as in a compiler: taking too many for independent only means that answers count
as equal that differ in nothing but their order.
"""

from __future__ import annotations

import ast
import heapq
from collections.abc import Sequence

from grader.alike.trees import walk

MOST_STATEMENTS = 200
"""A longer block keeps its order: nobody rearranges that many, and finding out takes its square."""

_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def canonical_order(statements: Sequence[ast.stmt], keys: Sequence[str]) -> list[int]:
    """Return the places of statements in an order that depends on what they do alone.

    Args:
        statements: a block.
        keys: what each of them does, without the names that were chosen for it.
    """
    count = len(statements)
    if count < 2 or count > MOST_STATEMENTS:
        return list(range(count))
    uses = [_Uses(one) for one in statements]
    waits = [0] * count
    later: list[list[int]] = [[] for _ in range(count)]
    for after in range(count):
        for before in range(after):
            if uses[after].needs(uses[before]):
                waits[after] += 1
                later[before].append(after)
    ready = [(keys[place], place) for place in range(count) if not waits[place]]
    heapq.heapify(ready)
    order = []
    while ready:
        _, place = heapq.heappop(ready)
        order.append(place)
        for other in later[place]:
            waits[other] -= 1
            if not waits[other]:
                heapq.heappush(ready, (keys[other], other))
    return order


class _Uses:
    """What a statement reads and what it changes: variables, and attributes of `self`."""

    def __init__(self, statement: ast.stmt) -> None:
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.leaves = isinstance(statement, _LEAVING)
        for node in walk(statement):
            self._look_at(node)

    def needs(self, earlier: _Uses) -> bool:
        """Whether it has to stay behind a statement before it."""
        return (
            self.leaves
            or earlier.leaves
            or not earlier.writes.isdisjoint(self.reads)
            or not earlier.writes.isdisjoint(self.writes)
            or not earlier.reads.isdisjoint(self.writes)
        )

    def _look_at(self, node: ast.AST) -> None:
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = _named(node)
            if name:
                (self.reads if isinstance(node.ctx, ast.Load) else self.writes).add(name)
        elif isinstance(node, ast.AugAssign):
            self.reads.update(filter(None, [_root(node.target)]))
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            self.writes.update(filter(None, [_root(node.value)]))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.writes.add(node.name)
        elif isinstance(node, ast.Call) and _changes(node):
            self.writes.update(filter(None, [_object(node)]))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self.writes.update(filter(None, [_object(node.value)]))


def _changes(call: ast.Call) -> bool:
    """Whether a method is called that changes its object: torch marks them by an underscore."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name.endswith("_") and not name.endswith("__")


def _object(call: ast.Call) -> str | None:
    """What a method is called on: one whose result nobody takes is called for what it changes."""
    return _root(call.func.value) if isinstance(call.func, ast.Attribute) else None


def _named(node: ast.expr) -> str | None:
    """The variable, or the attribute of `self`, that an expression is."""
    if isinstance(node, ast.Name):
        return None if node.id in ("self", "cls") else node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"self.{node.attr}" if node.value.id in ("self", "cls") else None
    return None


def _root(node: ast.expr) -> str | None:
    """What an expression begins with: `x` of `x[0].grad`."""
    while (name := _named(node)) is None:
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return None
    return name
