"""Every message that the page explains is one that the code has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^### (.+)$", PAGE, re.M)
ANYTHING = "…"


def text_of(node: ast.AST) -> str | None:
    """A text in the code, what is put into it as `…`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or ANYTHING for part in node.values)
    return None


def texts(tree: ast.Module) -> Iterator[str]:
    """Every text in a module but docstrings and the parts of longer ones."""
    nodes = list(ast.walk(tree))
    left_out = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    left_out |= {
        id(one) for node in nodes if isinstance(node, ast.JoinedStr) for one in node.values
    }
    yield from (text for node in nodes if id(node) not in left_out and (text := text_of(node)))


@cache
def all_texts() -> str:
    """What the grader can say, a line each."""
    files = sorted((ROOT / "grader").rglob("*.py"))
    found = (text for file in files for text in texts(ast.parse(file.read_text("utf-8"))))
    return "\n".join(" ".join(text.split()) for text in found)


def is_said(message: str) -> bool:
    """Whether one text of the code has all parts of a message, in their order."""
    parts = (re.escape(part.strip()) for part in message.split(ANYTHING))
    return re.search("[^\n]*".join(parts), all_texts()) is not None


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_says_it(message: str) -> None:
    assert is_said(message)


def test_what_nobody_says_is_found_out() -> None:
    assert not is_said("the moon is made of cheese")
    assert not is_said("submission … no … found … was")
    assert len(MESSAGES) == len(set(MESSAGES)) >= 50
