"""A check's own code: as it stands, and as a digest of what it does, not of its layout or title."""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4096)  # read once, before a judge forks for each submission
def source_of(function: Any) -> tuple[str, int]:
    """A test function's code, and the number of its first line; of decorators too.

    `""` and 0 where no file has it.
    """
    text, first = _as_it_stands(function)
    return textwrap.dedent(text).rstrip(), first


@lru_cache(maxsize=4096)
def code_digest(function: Any) -> str:
    """Digest a test function without its decorators, docstring, comments and layout.

    Empty where no file has its code.
    """
    text, _ = _as_it_stands(function)
    # indented as it is: what is quoted over several lines must not change
    block = f"if True:\n{text}" if text[:1].isspace() else text
    try:
        found = [one for one in ast.walk(ast.parse(block)) if isinstance(one, ast.FunctionDef)]
    except (SyntaxError, ValueError):  # no whole function, whatever gave it
        return ""
    if not found:
        return ""
    has_title = ast.get_docstring(found[0], clean=False) is not None
    told = [ast.dump(line) for line in (found[0].args, *found[0].body[has_title:])]
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _as_it_stands(function: Any) -> tuple[str, int]:
    try:
        lines, first = inspect.getsourcelines(inspect.unwrap(function))
    except (OSError, TypeError):
        return "", 0
    return "".join(lines), first
