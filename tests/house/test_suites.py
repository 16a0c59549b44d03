"""Checks are in test files, what they have in common is not; the reference knows neither."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS, SUITES, REFERENCE = (
    ROOT / name for name in ("course/checks", "solutions/suites", "solutions/tiny_transformer")
)


def python_files(*folders: Path) -> list[str]:
    return [
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
    ]


def imported(path: str) -> Iterator[str]:
    """The modules that a file imports, in whatever place and way."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", python_files(CHECKS, SUITES))
def test_nobody_imports_a_file_of_checks(path: str) -> None:
    words = [word for name in imported(path) for word in name.split(".")]
    assert not [word for word in words if word.startswith("test_")]


@pytest.mark.parametrize("path", python_files(REFERENCE))
def test_the_reference_needs_nothing_but_torch(path: str) -> None:
    known = {"__future__", "collections", "math", "typing", "torch"}
    outside = {name.split(".")[0] for name in imported(path)} - known - {"None"}
    own = {file.stem for file in REFERENCE.glob("*.py")}
    assert outside <= own


@pytest.mark.parametrize("path", python_files(REFERENCE))
def test_the_reference_does_not_ask_what_it_was_given(path: str) -> None:
    """Whoever stands in for a part of it offers what that part offers."""
    text = (ROOT / path).read_text(encoding="utf-8")
    called = {
        node.func.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"hasattr", "getattr", "isinstance", "type"}
    assert "course.parts" not in text
