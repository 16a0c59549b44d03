"""The header of a lesson in one file: TOML in the comments of its `# %% [grader]` cell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.errors import ReleaseError
from grader.lesson.cells import SourceCell, read_source
from grader.lesson.values import require_keys
from grader.model import Value

KIND = "grader"
_HEADING = re.compile(r"^#+\s+(?:\d+\s*[·.:)]\s*)?(\S.*?)\s*#*$", re.M)


class Header(Value, frozen=True):
    """A lesson's header.

    Attributes:
        table: what stands in it, without the questions.
        questions: its table of questions, of whatever type it is.
        where: `file:line`; the file, where there is no header.
        heading: the lesson's first heading, without a number; empty where there is none.
        cell: the cell that it stands in, if there is one.
    """

    table: dict[str, Any]
    questions: Any
    where: str
    heading: str
    cell: SourceCell | None = None

    def place_of(self, *path: str | int) -> str:
        """`file:line` of what gives something its value: `place_of("manual", 0, "points")`.

        Of what holds it, where it is not there itself; of the header, if that is not there either.
        """
        places = () if self.cell is None else (_place(self.cell, path[:n]) for n in _down(path))
        return next((place for place in places if place), self.where)

    def place_of_error(self, message: str, *within: str) -> str:
        """`file:line` of what msgspec refuses, in what stands `within` some keys of the header."""
        at = re.search(r" - at `\$([^`]*)`$", message)
        path: list[str | int] = [*within]
        for key, number in re.findall(r"\.([\w-]+)|\[(\d+)\]", at[1] if at else ""):
            path.append(key or int(number))
        unknown = re.search(r"unknown field `([^`]*)`", message)
        return self.place_of(*path, *([unknown[1]] if unknown else []))


def read_header(path: Path) -> Header:
    """Read a lesson's header.

    Raises:
        ReleaseError: there are several, or it is not valid TOML.
    """
    return header_of(read_source(path), path)


def header_of(cells: Sequence[SourceCell], path: Path) -> Header:
    """Find the header among a lesson's cells.

    Raises:
        ReleaseError: there are several, or it is not valid TOML.
    """
    heads = [cell for cell in cells if cell.marker.kind == KIND]
    if len(heads) > 1:
        raise ReleaseError("a lesson has one header", where=heads[1].where, hint="join them")
    table = _table(heads[0]) if heads else {}
    prose = (cell.source for cell in cells if cell.marker.kind == "markdown")
    heading = next((found[1] for text in prose if (found := _HEADING.search(text))), "")
    return Header(
        table={key: value for key, value in table.items() if key != "questions"},
        questions=table.get("questions", {}),
        where=heads[0].where if heads else str(path),
        heading=heading,
        cell=heads[0] if heads else None,
    )


def _down(path: Sequence[str | int]) -> range:
    return range(len(path), 0, -1)


def _place(cell: SourceCell, path: Sequence[str | int]) -> str:
    """Where something gets its value; empty if it gets none.

    The reader of TOML tells no lines. So it reads the lines up to each that something ends with,
    until what is looked for is there: it stands behind the last of them that did not have it.
    """
    lines = cell.source.split("\n")
    whole = 0
    for number in range(1, len(lines) + 1):
        try:
            table = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue
        if _holds(table, path):
            return f"{cell.file}:{cell.first + whole}"
        whole = number
    return ""


def _holds(table: Any, path: Sequence[str | int]) -> bool:
    for key in path:
        try:
            table = table[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _table(cell: SourceCell) -> dict[str, Any]:
    require_keys(cell, (), words=0)
    try:
        return tomllib.loads(cell.source)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        number = cell.first + int(line[1]) - 1 if line else cell.line
        reason = re.sub(r" \(at .*", "", str(error))
        raise ReleaseError(
            f"the lesson's header is not valid TOML: {reason}",
            where=f"{cell.file}:{number}",
            hint='write # title = "Counting words" and # [questions.counts], each in its line',
        ) from None
