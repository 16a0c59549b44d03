"""What of a course's public packages answers an assignment is not there while it is graded.

    [[tool.grader.assignments]]
    id = "blocks"
    withheld = ["course.parts.TransformerBlock", "course.answers"]

names definitions and whole modules that students have, for other assignments, and that a worker of
this one gets neither as a module nor as a text. Workers are forked from one zygote, so there are
two places that they import from:

    PUBLIC/               what no assignment withholds: this alone the zygote may import
    PARTS/ASSIGNMENT/     the files that differ, as a worker of this assignment may see them

Which of the second a worker sees is up to `grader/worker/parts.py`.
"""

from __future__ import annotations

import ast
import io
import shutil
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from grader.errors import ConfigError
from grader.model import Value

Span = tuple[int, int, int]
"""A definition's first and last line, counted from 1, and its indentation."""


class WithheldName(Value, frozen=True):
    """Where a name leads: a file or folder below the public packages, and a definition in it."""

    path: str
    definition: tuple[str, ...] = ()


def withhold(public: Path, parts: Path, withheld: Mapping[str, Sequence[str]]) -> tuple[Path, ...]:
    """Take what is withheld out of staged public packages, and give each assignment what it may.

    Args:
        public: the folder of the staged packages, which is changed.
        parts: a folder to be made for what differs between assignments.
        withheld: names by assignment, of all that may be graded.

    Returns:
        The files and folders that are concerned, below the folder of the packages.

    Raises:
        ConfigError: a name leads nowhere, or to what can't be taken out.
    """
    places = {
        assignment: [locate(public, name, assignment) for name in names]
        for assignment, names in withheld.items()
    }
    concerned = sorted({place.path for found in places.values() for place in found})
    _reject_nested(concerned)
    parts.mkdir()
    for path in concerned:
        by_all = _of(path, (place for found in places.values() for place in found))
        for assignment, found in places.items():
            own = _of(path, found)
            if own != by_all and () not in own:
                _copy_without(public / path, parts / assignment / path, own)
        _remove(public / path, by_all)
    return tuple(map(Path, concerned))


def _of(path: str, places: Iterable[WithheldName]) -> set[tuple[str, ...]]:
    """The definitions in a file that are withheld; an empty one stands for all of it."""
    return {place.definition for place in places if place.path == path}


def locate(public: Path, name: str, assignment: str) -> WithheldName:
    """Find where a dotted name leads that an assignment withholds.

    Raises:
        ConfigError: nowhere, or to what can't be taken out.
    """
    found = Path()
    rest = name.split(".")
    if not all(map(str.isidentifier, rest)):
        raise _nowhere(name, assignment)
    while rest and (public / found / rest[0]).is_dir():
        found /= rest.pop(0)
    if rest and (public / found / f"{rest[0]}.py").is_file():
        found /= f"{rest.pop(0)}.py"
    elif rest and (public / found / "__init__.py").is_file():
        found /= "__init__.py"
    place = WithheldName(found.as_posix(), tuple(rest))
    if found == Path() or ((public / found).is_dir() and rest):
        raise _nowhere(name, assignment)
    if rest:
        try:
            _without((public / found).read_bytes(), {place.definition})
        except LookupError:
            raise _nowhere(name, assignment) from None
        except (SyntaxError, ValueError) as error:
            raise ConfigError(
                f"assignment `{assignment}`: `{name}` can't be withheld: {error}",
                where=found.as_posix(),
                hint="give it lines of its own, in a module that is Python",
            ) from None
    return place


def _nowhere(name: str, assignment: str) -> ConfigError:
    return ConfigError(
        f"assignment `{assignment}`: nothing public is called `{name}`",
        where="withheld",
        hint='name a module or a definition in one: "course.parts.Block"',
    )


def _reject_nested(paths: Sequence[str]) -> None:
    for inner in paths:
        if outer := next((path for path in paths if inner.startswith(f"{path}/")), None):
            raise ConfigError(
                f"`{outer}` is withheld as a whole, and `{inner}` in it by itself",
                where="withheld",
                hint="name its modules one by one, or the package alone",
            )


def _copy_without(source: Path, target: Path, definitions: set[tuple[str, ...]]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.write_bytes(_without(source.read_bytes(), definitions))


def _remove(path: Path, definitions: set[tuple[str, ...]]) -> None:
    if () not in definitions:
        path.write_bytes(_without(path.read_bytes(), definitions))
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


# ---------------------------------------------------------------- text


def _without(source: bytes, definitions: set[tuple[str, ...]]) -> bytes:
    """Python source with some definitions blanked; all other lines keep their numbers.

    Raises:
        LookupError: it has no such definition. SyntaxError, ValueError: it can't be taken out.
    """
    encoding, text, body = _parsed(source)
    lines = text.split("\n")
    for definition in definitions:
        spans = list(_spans(body, definition))
        if not spans:
            raise LookupError(definition)
        for first, last, column in spans:
            lines[first - 1] = " " * column + "pass"
            lines[first:last] = [""] * (last - first)
    return "\n".join(lines).encode(encoding)


@lru_cache(maxsize=16)
def _parsed(source: bytes) -> tuple[str, str, list[ast.stmt]]:
    """The encoding, the text and the statements of a module: many names lead to the same."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    text = source.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    return encoding, text, ast.parse(text).body


def _spans(body: list[ast.stmt], definition: Sequence[str]) -> Iterator[Span]:
    """Every place at which a name is defined, also where one of several is chosen."""
    for number, node in enumerate(body):
        if definition[0] not in _defined(node):
            for inner in _blocks(node):
                yield from _spans(inner, definition)
        elif len(definition) == 1:
            neighbours = body[max(0, number - 1) : number] + body[number + 1 : number + 2]
            first, last = _lines_of(node)
            for other in neighbours:
                start, end = _lines_of(other)
                if start <= last and first <= end:
                    raise ValueError("it shares a line with another statement")
            yield first, last, node.col_offset
        elif isinstance(node, ast.ClassDef):
            yield from _spans(node.body, definition[1:])


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The statements within an `if`, `try`, `with` or loop; what a function holds is its own."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    for field in ("body", "orelse", "finalbody"):
        yield getattr(node, field, [])
    for handler in getattr(node, "handlers", []):
        yield handler.body


def _lines_of(node: ast.stmt) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", [])
    return min(node.lineno, *(one.lineno for one in decorators), node.lineno), node.end_lineno or 0
