"""Suites as plain tests, so that every tool runs the same checks.

The translation is mechanical: the code of the checks stays as it is, statement by statement, with
as many forward passes; a fetch through the wall (`.tensor()`, `.value()`) becomes a detached copy,
and nothing is left to wait for.
Top-level names get a prefix: a notebook has one namespace, which the student's names are in too.
"""

from __future__ import annotations

import ast
import inspect
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.environments import ROOT
from grader.config.course import Course
from grader.config.suite_files import suite_files
from grader.model import Assignment, Check
from grader.testing.suites import PYTEST_OPTIONS, build_suite, is_practice

PLAIN = Path(__file__).with_name("plain_testing.py")
PLAIN_PREFIX = "plain_"
FIXTURES = ("submission", "rng")
ERASED = ("Handle", "Link", "SubmissionNames", "check")  # annotations, and what pytest has read
SUPPORT = {"course.checks": "course/checks", "": "solutions/suites"}
"""Where modules lie that checks import, by the package that they are imported from."""

TESTING = (
    "grader.testing",
    "grader.testing.failure",
    "grader.testing.handles",
    "grader.testing.links",
)


class NotTranslatable(Exception):
    """A suite uses what a plain test has no counterpart for."""


@dataclass(frozen=True)
class PlainCheck:
    """One check: `call` runs it on the names in `namespace`, an expression put in by the tool."""

    check: Check
    owner: str
    function: str
    params: Mapping[str, Any]
    wants: tuple[str, ...]

    def call(self, namespace: str) -> str:
        """Statements that run the check on a dict of names, and raise if it does not hold."""
        arguments = {
            "submission": f"{PLAIN_PREFIX}Names({namespace})",
            "rng": f"random.Random({self.check.id!r})",
        }
        passed = [f"{name}={arguments[name]}" for name in self.wants]
        passed += [f"{name}={value!r}" for name, value in self.params.items()]
        return (
            f"{PLAIN_PREFIX}start({zlib.crc32(self.check.id.encode())})\n"
            f"{self.owner}().{self.function}({', '.join(passed)})"
        )


@dataclass(frozen=True)
class PlainSuite:
    """The tests' definitions as source, and the checks that call them."""

    definitions: str
    checks: tuple[PlainCheck, ...]


def translate(course: Course, assignment: str) -> PlainSuite:
    """Translate an assignment's public and hidden checks.

    Raises:
        NotTranslatable: a check asks for a fixture or a helper that plain tests do not have.
    """
    files = [
        path
        for folder in (course.checks, course.suites)
        for path in suite_files(folder, assignment)
    ]
    items, checks = collect(files, course.checks)
    plain = ast.parse(PLAIN.read_text(encoding="utf-8"))
    known = {name: PLAIN_PREFIX + name for name in _defined(plain)}
    sources = ["import random", ast.unparse(_Plain(known, str(PLAIN)).visit(plain))]
    # what the files have in common, once
    prefixes = {path: f"{path.stem}_" for path in _support(files)}
    prefixes |= {path: _prefix(number) for number, path in enumerate(files)}
    for path, prefix in prefixes.items():
        module = ast.parse(path.read_text(encoding="utf-8"))
        names = known | _imported(module) | {name: prefix + name for name in _defined(module)}
        sources.append(ast.unparse(_Plain(names, str(path)).visit(module)))
    return PlainSuite(
        "\n\n".join(sources),
        tuple(
            _plain_check(item, check, _prefix(files.index(Path(item.path))))
            for item, check in zip(items, checks, strict=True)
        ),
    )


def _support(files: list[Path]) -> list[Path]:
    """Modules of this repository that the files import and that need translating themselves."""
    found: dict[Path, None] = {}
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            path = _support_file(node.module) if isinstance(node, ast.ImportFrom) else None
            if path is not None:
                found |= dict.fromkeys([*_support([path]), path])
    return list(found)


def _support_file(module: str | None) -> Path | None:
    """Where a module lies that stands beside checks; None if it is another one."""
    folder, _, name = (module or "").rpartition(".")
    path = ROOT / SUPPORT.get(folder, "") / f"{name}.py"
    return path if folder in SUPPORT and path.is_file() else None


def _imported(module: ast.Module) -> dict[str, str]:
    """By what it calls it, the name here of each thing that a module has from such a module."""
    return {
        alias.asname or alias.name: f"{path.stem}_{alias.name}"
        for node in module.body
        if isinstance(node, ast.ImportFrom) and (path := _support_file(node.module)) is not None
        for alias in node.names
    }


def collect(
    files: list[Path], public: Path | None
) -> tuple[list[pytest.Function], tuple[Check, ...]]:
    """Let pytest find the graded checks of these files, with their points."""
    collector = _Collector()
    # pytest takes a module for loaded when its path below the root folder is the same
    support = [f"--override-ini=pythonpath={ROOT / SUPPORT['']}", f"--rootdir={ROOT.anchor}"]
    pytest.main([*PYTEST_OPTIONS, *support, *map(str, files)], [collector])
    suite = build_suite(Assignment(id="", title=""), collector.items, public)
    return collector.items, suite.checks


class _Collector:
    """A pytest plugin that keeps the items and runs none."""

    def __init__(self) -> None:
        self.items: list[pytest.Function] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        found = [item for item in session.items if isinstance(item, pytest.Function)]
        self.items = [item for item in found if not is_practice(item)]
        return True


def _plain_check(item: pytest.Function, check: Check, prefix: str) -> PlainCheck:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    asked = list(inspect.signature(item.function).parameters)[1:]  # without self
    wants = tuple(name for name in asked if name not in params)
    unknown = set(wants) - set(FIXTURES)
    if unknown:
        raise NotTranslatable(f"`{check.id}` asks for {', '.join(sorted(unknown))}")
    assert item.cls is not None  # suites have no checks outside classes
    return PlainCheck(check, prefix + item.cls.__name__, item.originalname, params, wants)


def _prefix(number: int) -> str:
    return f"suite{number}_"


def _defined(module: ast.Module) -> list[str]:
    """The names that a module's own top level gives to something; imports are left alone."""
    names = []
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return names


class _Plain(ast.NodeTransformer):
    """From handles to plain objects."""

    def __init__(self, names: Mapping[str, str], path: str) -> None:
        self.names = names
        self.path = path
        self._fields: list[ast.expr] = []

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if node.module == "__future__":
            return None
        if _support_file(node.module):
            return None
        if node.module not in TESTING:
            return node
        for alias in node.names:
            if alias.name not in self.names and alias.name not in ERASED:
                raise NotTranslatable(f"{self.path} uses `{alias.name}`")
        return None

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        node.names = [alias for alias in node.names if alias.name != "pytest"]
        return node if node.names else None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name) if node.col_offset == 0 else node.name
        node.decorator_list = []  # check and parametrize: pytest has read them
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        # a dataclass knows its fields by their annotations
        self._fields += [line.target for line in node.body if isinstance(line, ast.AnnAssign)]
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        if node.arg in self.names:  # inside, the name means something else
            raise NotTranslatable(f"{self.path}:{node.lineno} calls an argument `{node.arg}`")
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        node.annotation = ast.Name("object", ast.Load())
        self.generic_visit(node)
        if node.target in self._fields:
            return node
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or node.args or node.keywords:
            return node
        if node.func.attr == "done":  # plain code waits anyway
            return node.func.value
        if node.func.attr not in ("tensor", "value"):
            return node
        fetcher = ast.Name(f"{PLAIN_PREFIX}fetch_{node.func.attr}", ast.Load())
        return ast.copy_location(ast.Call(fetcher, [node.func.value], []), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "message":  # of a StudentError
            return ast.copy_location(ast.Call(ast.Name("str", ast.Load()), [node.value], []), node)
        return node
