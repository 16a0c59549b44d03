"""The check cells of a lesson in one file, written as the file of checks that they are equal to.

Students get the public ones in this form, and `grader split` writes both.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from grader.lesson.comments import spans_of_strings
from grader.lesson.functions import CheckFunction
from grader.lesson.one_file import OneFile, QuestionHead

INDENT = "    "


def suite_text(lesson: OneFile, *, public: bool) -> str:
    """Return the public or the hidden checks of a lesson as a file; empty where there are none.

    What cells have beside checks stands at the top: hidden ones may use what public ones have.
    """
    own = [one for one in lesson.checks if one.public == public and one.functions]
    if not own:
        return ""
    helpers = [h for one in lesson.checks if one.public or not public for h in one.helpers]
    kind = "Public checks: students have this file too." if public else "Hidden checks."
    parts = [f'"""{kind}"""', *_with_check([helper.source for helper in helpers])]
    for question in lesson.questions:
        functions = [f for one in own if one.question == question.id for f in one.functions]
        if functions:
            parts.append(_class(question, functions))
    head, *rest = parts
    return "\n\n\n".join(["\n\n".join([head, *rest[:1]]), *rest[1:]]) + "\n"


def _with_check(helpers: list[str]) -> list[str]:
    """Helpers with the import of `check`, which a lesson can do without."""
    line = re.compile(r"^from grader\.testing import (?P<names>[^(\n]+)$", re.M)
    for number, helper in enumerate(helpers):
        if found := line.search(helper):
            names = sorted({"check", *map(str.strip, found["names"].split(","))})
            imported = f"from grader.testing import {', '.join(names)}"
            text = helper[: found.start()] + imported + helper[found.end() :]
            return [*helpers[:number], text, *helpers[number + 1 :]]
    return ["from grader.testing import check", *helpers]


def _class(question: QuestionHead, functions: Sequence[CheckFunction]) -> str:
    lines = [f"class {class_name(question.id)}:", f"{INDENT}{_docstring(question.title)}"]
    if question.bonus:
        lines += ["", f"{INDENT}bonus = True"]
    return "\n".join(lines) + "".join(f"\n\n{_method(function)}" for function in functions)


def class_name(question: str) -> str:
    """The class that is this question: `dtype_device` is `TestDtypeDevice`."""
    from grader.testing.suites import question_id

    name = "Test" + "".join(word[:1].upper() + word[1:] for word in question.split("_"))
    return name if question_id(name) == question else f"Test{question}"


def _method(function: CheckFunction) -> str:
    source = _indented(function.source)
    head = re.compile(rf"^({INDENT}(?:async )?def {function.name}\s*\(\s*)(\)?)", re.M)
    source = head.sub(lambda found: f"{found[1]}self{')' if found[2] else ', '}", source, count=1)
    if not function.has_docstring:
        source = _with_docstring(source, function)
    if function.decorated:
        return source
    hint = f", hint={_quoted(function.hint)}" if function.hint else ""
    mark = f"{INDENT}@check(points={_number(function.points or 0)}{hint})\n"
    comments = re.match(rf"(?:{INDENT}#.*\n)*", source)
    end = comments.end() if comments else 0
    return source[:end] + mark + source[end:]


def _indented(source: str) -> str:
    """A text one step to the right, but for the lines that go on in a string."""
    docstring = _span_of_docstring(source)
    strings = [span for span in spans_of_strings(source) if span != docstring]
    lines, place = [], 0
    for line in source.split("\n"):
        inside = any(begin < place < end for begin, end in strings)
        lines.append(line if inside or not line.strip() else INDENT + line)
        place += len(line) + 1
    return "\n".join(lines)


def _span_of_docstring(source: str) -> tuple[int, int] | None:
    """Where the docstring of a function stands, if it has one in triple quotes."""
    node = ast.parse(source).body[0]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    if ast.get_docstring(node) is None:
        return None
    first = node.body[0]
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for begin, end in spans_of_strings(source):
        if starts[first.lineno - 1] <= begin < starts[first.end_lineno or first.lineno]:
            return begin, end
    return None


def _with_docstring(source: str, function: CheckFunction) -> str:
    """A method with its title where a docstring belongs."""
    wrapped = f"class _:\n{source}"
    body = ast.parse(wrapped).body[0]
    assert isinstance(body, ast.ClassDef)
    method = body.body[0]
    assert isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef))
    first = method.body[0].lineno - 2
    lines = source.split("\n")
    if method.body[0].lineno == method.lineno:  # all in one line
        left = lines[first][: method.body[0].col_offset].rstrip()
        right = lines[first][method.body[0].col_offset :]
        lines[first : first + 1] = [left, 2 * INDENT + right]
        first += 1
    lines[first:first] = [2 * INDENT + _docstring(function.title)]
    return "\n".join(lines)


def _docstring(title: str) -> str:
    text = title.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{text} """' if text.endswith('"') else f'"""{text}"""'


def _quoted(text: str) -> str:
    quoted = repr(text)
    return quoted if '"' in text else f'"{quoted[1:-1]}"'


def _number(points: float) -> str:
    return str(int(points)) if points == int(points) else repr(points)
