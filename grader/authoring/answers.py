"""Answers: a class or function of the reference, as a solved cell and as the stub of it.

The reference is read, never imported. A solved cell has nbgrader's markers around the body of each
function, so that what a student gets is what nbgrader's ClearSolutions makes of it:

    def forward(self, tokens: Tensor) -> Tensor:        def forward(self, tokens: Tensor) -> Tensor:
        '''(B, T) -> (B, T, d_model).'''                    '''(B, T) -> (B, T, d_model).'''
        ### BEGIN SOLUTION                                  # YOUR CODE HERE
        return self.embedding(tokens) * self.scale          raise NotImplementedError()
        ### END SOLUTION
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from grader.config.course import Course
from grader.errors import ReleaseError

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
PROSE_STUB = ("YOUR ANSWER HERE",)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def reference_source(course: Course, name: str) -> str:
    """Return the source of a top-level class or function of the reference, decorators included.

    Raises:
        ReleaseError: the reference defines no such name, defines it twice, or can't be parsed.
    """
    _, text, node = _definition(course, name)
    return "\n".join(text.split("\n")[_first_line(node) - 1 : node.end_lineno])


def reference_place(course: Course, name: str) -> tuple[Path, int]:
    """Return the file and line where the reference begins to define a class or function.

    Raises:
        ReleaseError: see `reference_source`.
    """
    path, _, node = _definition(course, name)
    return path, _first_line(node)


def _definition(course: Course, name: str) -> tuple[Path, str, Function | ast.ClassDef]:
    if course.reference is None:
        raise ReleaseError(
            f"`{name}` is to come from the reference, but the course names none",
            where=str(course.root / "pyproject.toml"),
            hint="set `reference` in [tool.grader]",
        )
    found: list[tuple[Path, str, Function | ast.ClassDef]] = []
    known: set[str] = set()
    for path in _python_files(course.reference):
        text = path.read_text(encoding="utf-8")
        for node in _parse(text, path).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                known.add(node.name)
                if node.name == name:
                    found.append((path, text, node))
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(sorted({path.name for path, _, _ in found}))
        raise ReleaseError(f"the reference defines `{name}` {len(found)} times", where=places)
    raise ReleaseError(
        f"the reference defines no class or function `{name}`",
        where=str(course.reference),
        hint=_nearest(name, known),
    )


def mark_solution(source: str, given: Collection[str] = ()) -> str:
    """Put nbgrader's solution markers around the body of each function, after its docstring.

    Functions inside functions belong to the body around them. A body that holds nothing but a
    docstring, `...` or `pass` has nothing to hide and stays. Without a function, all of it is the
    answer.

    Args:
        source: one or more top-level definitions, or other statements.
        given: functions that students get as they are: `"__init__"` or `"Block.__init__"`.

    Raises:
        ReleaseError: `given` names no function, the source is marked already, or nothing is left
            to solve.
    """
    if "BEGIN SOLUTION" in source or "END SOLUTION" in source:
        raise ReleaseError(f"the source holds `{BEGIN}` or `{END}` already")
    source = _unfold(source)
    functions = list(_functions(ast.parse(source)))
    names = {label for path, _ in functions for label in (path, path.rpartition(".")[2])}
    for name in given:
        if name not in names:
            raise ReleaseError(f"`given` names no function: `{name}`", hint=_nearest(name, names))
    lines = source.split("\n")
    marked = 0
    for path, function in reversed(functions):
        if {path, function.name} & set(given) or not _answer(function):
            continue
        _wrap_body(lines, function)
        marked += 1
    if not functions:
        return "\n".join([BEGIN, source, END])
    if not marked:
        raise ReleaseError("nothing is left for students to solve", hint="look at `given`")
    return "\n".join(lines)


def leave_out(source: str, names: Collection[str]) -> str:
    """Remove functions, decorators included, from one or more definitions.

    Args:
        source: top-level definitions.
        names: `"generate"` or `"Model.generate"`.

    Raises:
        ReleaseError: a name is no function's, or what is left is not valid Python.
    """
    functions = list(_functions(ast.parse(source)))
    known = {label for path, _ in functions for label in (path, path.rpartition(".")[2])}
    for name in names:
        if name not in known:
            raise ReleaseError(f"`without` names no function: `{name}`", hint=_nearest(name, known))
    lines = source.split("\n")
    for path, function in reversed(functions):
        if {path, function.name} & set(names):
            first = min(part.lineno for part in (function, *function.decorator_list)) - 1
            while first and not lines[first - 1].strip():
                first -= 1
            del lines[first : function.end_lineno]
    left = "\n".join(lines)
    try:
        ast.parse(left)
    except SyntaxError:
        raise ReleaseError(f"nothing is left without {', '.join(names)}") from None
    return left


def clear_solution(source: str, stub: Sequence[str] = STUB) -> str:
    """Replace each marked region by a stub, exactly as nbgrader's ClearSolutions does.

    Raises:
        ReleaseError: the markers are not in pairs, or there are none.
    """
    kept: list[str] = []
    inside = False
    regions = 0
    for line in source.split("\n"):
        begins, ends = "BEGIN SOLUTION" in line, "END SOLUTION" in line
        if (begins and inside) or (ends and not inside and not begins):
            raise ReleaseError("solution markers are not in pairs", hint=f"{BEGIN} … {END}")
        if begins:
            inside = True
            regions += 1
            kept.extend(_indent(line) + text for text in stub)
        elif ends:
            inside = False
        elif not inside:
            kept.append(line)
    if inside or not regions:
        raise ReleaseError("no solution region, or one that does not end", hint=f"{BEGIN} … {END}")
    return "\n".join(kept)


# ---------------------------------------------------------------- reading


def _python_files(reference: Path) -> list[Path]:
    if reference.is_file():
        return [reference]
    return sorted(path for path in reference.rglob("*.py") if "__pycache__" not in path.parts)


def _parse(text: str, path: Path) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ReleaseError(
            f"the reference is not valid Python: {error.msg}", where=f"{path}:{error.lineno}"
        ) from None


def _first_line(node: Function | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Functions and methods in order of their lines, without those inside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt):
            yield from _functions(child, prefix)


def _has_docstring(function: Function) -> bool:
    return ast.get_docstring(function, clean=False) is not None


def _answer(function: Function) -> list[ast.stmt]:
    """Return the statements a student has to write: none when the body is a placeholder anyway."""
    body = function.body[1:] if _has_docstring(function) else function.body

    def placeholder(statement: ast.stmt) -> bool:
        is_ellipsis = (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and statement.value.value is ...
        )
        return is_ellipsis or isinstance(statement, ast.Pass)

    return [] if all(map(placeholder, body)) else body


def _nearest(name: str, known: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else f"it has: {', '.join(sorted(known))}"


# ---------------------------------------------------------------- writing


def _unfold(source: str) -> str:
    """Give each answer that shares a line with its function's head lines of its own."""
    lines = source.split("\n")
    for _, function in reversed(list(_functions(ast.parse(source)))):
        answer = _answer(function)
        if not answer:
            continue
        head = _end_of_signature(lines, function)
        first = function.body[0]
        if first.lineno == head:
            indent = _indent(lines[function.lineno - 1]) + "    "
        else:
            indent = _indent(lines[first.lineno - 1])
        if answer[0].lineno == _end_of_head(lines, function):
            _cut(lines, answer[0], indent)
        if first is not answer[0] and first.lineno == head:
            _cut(lines, first, indent)
    return "\n".join(lines)


def _cut(lines: list[str], statement: ast.stmt, indent: str) -> None:
    """Move a statement and what follows it on its line to a line of its own."""
    raw = lines[statement.lineno - 1].encode()  # ast counts bytes
    left, right = raw[: statement.col_offset].decode(), raw[statement.col_offset :].decode()
    lines[statement.lineno - 1 : statement.lineno] = [left.rstrip(" \t;"), indent + right]


def _wrap_body(lines: list[str], function: Function) -> None:
    """Insert the markers into `lines`; lines above the function keep their numbers."""
    begin = _end_of_head(lines, function)
    while not lines[begin].strip():
        begin += 1
    indent = _indent(lines[begin])
    end = _end_of_comments(lines, function.end_lineno or begin, indent)
    lines[end:end] = [indent + END]
    lines[begin:begin] = [indent + BEGIN]


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _end_of_head(lines: list[str], function: Function) -> int:
    """Return the number of the last line of the docstring or, without one, of the signature."""
    if _has_docstring(function):
        return function.body[0].end_lineno or function.lineno
    return _end_of_signature(lines, function)


def _end_of_signature(lines: list[str], function: Function) -> int:
    depth = 0
    text = "\n".join(lines[function.lineno - 1 :]) + "\n"
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if token.string == ":" and depth == 0:
                return function.lineno + token.start[0] - 1
    raise AssertionError("a function has a colon")  # ast.parse has seen it


def _end_of_comments(lines: list[str], end: int, indent: str) -> int:
    """Move the end of a body past the comments that still belong to it by their indentation."""
    for number in range(end, len(lines)):
        text = lines[number]
        if text.strip() and not (text.startswith(indent) and text.lstrip().startswith("#")):
            break
        if text.strip():
            end = number + 1
    return end
