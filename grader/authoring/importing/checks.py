"""Tests of other graders as check cells."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.authoring.importing.asserts import Converted, convert
from grader.authoring.importing.lesson_text import Lesson

INDENT = "    "


@dataclass
class Test:
    """A test of a source notebook.

    Attributes:
        source: asserts about the notebook's names.
        hidden: whether students are not to see it.
        points: None where the question has them.
        hint: what it tells whoever fails.
        printed: what its last line has shown.
        notes: what a person has to look at.
    """

    source: str
    hidden: bool = False
    points: float | None = None
    hint: str = ""
    printed: str = ""
    notes: list[str] = field(default_factory=list)


def add_checks(
    lesson: Lesson, question: str, tests: Sequence[Test], imported: Mapping[str, str]
) -> None:
    """Add a cell of checks for each test of a question.

    Args:
        lesson: that is being written.
        question: whose tests.
        tests: in their order.
        imported: import statements of the notebook by the name that they give.
    """
    for number, test in enumerate(tests, 1):
        kind = "hidden" if test.hidden else "public"
        points = "" if test.points is None else f" points={test.points:g}"
        name = f"test_{question}" + (f"_{number}" if len(tests) > 1 else "")
        source, notes = _check(name, test, imported, f"{question}, {kind} test {number}")
        lesson.add(f"check {kind} question={question}{points}", source, [*test.notes, *notes])


def _check(
    name: str, test: Test, imported: Mapping[str, str], otherwise: str
) -> tuple[str, list[str]]:
    source, notes = _of_function(test.source)
    try:
        made = convert(source, imported, test.printed)
    except SyntaxError as error:
        notes.append(f"it is not Python ({error.msg}): nothing is carried over")
        made = Converted(lines=[f"# {line}" for line in source.split("\n")])
    title = otherwise if test.hidden else _title(test.source) or otherwise
    said = [json.dumps(title, ensure_ascii=False)[1:-1].replace('\\"', "'")]
    if test.hint:
        said += ["", f"Hint: {' '.join(test.hint.split())}", ""]
    body = [line for line in made.lines if line.strip()]
    if all(line.startswith("#") for line in body):
        body.append('raise NotImplementedError("write this check")')
    head = [*made.imports]
    if made.helpers:
        head.append(f"from grader.testing import {', '.join(sorted(made.helpers))}")
    docstring = f'"""{said[0]}"""' if len(said) == 1 else '"""' + f"\n{INDENT}".join(said) + '"""'
    docstring = re.sub(r"\n +\n", "\n\n", docstring)
    function = [f"def {name}(submission):", *(INDENT + line for line in [docstring, *body])]
    parts = ["\n".join(head), "\n".join(function)] if head else ["\n".join(function)]
    return "\n\n\n".join(parts), [*notes, *made.notes]


def _of_function(source: str) -> tuple[str, list[str]]:
    """A test that is a function, as its body: its arguments are names of the notebook."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return source, []
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    if len(functions) != 1 or not functions[0].name.startswith("test"):
        return source, []
    node = functions[0]
    known = [one for one in body if isinstance(one, (ast.Import, ast.ImportFrom))]
    notes = ["it takes `env`: ask `submission` for names"] if "env" in source else []
    lines = [ast.unparse(one) for one in known] + [ast.unparse(one) for one in node.body]
    return "\n".join(lines), notes


def _title(source: str) -> str:
    """The comment that a test begins with."""
    found = re.match(r"\s*#+\s*(\w[^\n]{2,})", source)
    return found[1].strip() if found else ""
