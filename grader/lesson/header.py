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
    """

    table: dict[str, Any]
    questions: Any
    where: str
    heading: str


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
    )


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
