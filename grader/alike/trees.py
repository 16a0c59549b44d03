"""Walking syntax trees, a few times faster than `ast.walk`: most of the time goes there."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def walk(top: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, in no particular order; how a name is used is no node here."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        yield node
        for field in node._fields:
            if field != "ctx":
                value = getattr(node, field, None)
                if isinstance(value, ast.AST):
                    waiting.append(value)
                elif isinstance(value, list):
                    waiting += [one for one in value if isinstance(one, ast.AST)]
