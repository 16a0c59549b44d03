"""The engine knows no course: none of this course's names is in its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.config.course import load_course

ROOT = Path(__file__).parents[2]
COURSE = load_course(ROOT)
EVERYDAY = {"blocks", "generation"}
"""Ids of this course that are ordinary words."""


def course_names() -> set[str]:
    """Ids, packages, and the classes and functions of the reference.

    A function of one word, `generate`, may be anybody's.
    """
    names = {COURSE.id, *(a.id for a in COURSE.assignments)}
    assert COURSE.reference is not None
    names.add(COURSE.reference.name)
    for path in COURSE.reference.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_function = isinstance(node, ast.FunctionDef) and "_" in node.name.strip("_")
            if isinstance(node, ast.ClassDef) or is_function:
                names.add(node.name)
    return names - EVERYDAY


def words_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Names and words in strings, docstrings apart: those may give examples."""
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in documentation:
            yield from ((node.lineno, word) for word in re.findall(r"\w+", text))
        for field in ("id", "name", "attr", "arg", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield from ((getattr(node, "lineno", 0), word) for word in value.split("."))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "grader").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_no_name_of_this_course_is_in_the_engine(path: Path) -> None:
    names = course_names()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [(line, word) for line, word in words_of(tree) if word in names] == []


def test_the_names_searched_for_are_this_courses() -> None:
    assert {"embeddings", "tiny_transformer", "transformer", "TinyTransformerLM"} <= course_names()
    assert len(course_names()) > 15


def test_a_name_in_the_code_is_found_and_in_a_docstring_is_not() -> None:
    tree = ast.parse('"""embeddings"""\nx = "of embeddings"\n')
    assert [line for line, word in words_of(tree) if word == "embeddings"] == [2]
