"""The cells of a lesson, with the lines that they stand in.

A lesson is a Python file in percent format, or a notebook. In a notebook the marker is the first
line of a code cell, or stands in the cell's tags, a word or value each: `check`, `hidden`,
`question=mean`, `points=2`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.errors import ReleaseError, told
from grader.lesson.comments import comments_of_lines
from grader.lesson.markers import Marker, read_marker
from grader.model import Value

NOTEBOOK = ".ipynb"
ENDINGS = (".py", NOTEBOOK)

_MARK = re.compile(r"# ?%%(?!%)(?P<rest>.*)")
_COMMENTED_MAGIC = re.compile(r"^# ?(?=%{1,2}[A-Za-z]|![A-Za-z])", re.M)
_KIND_IN_TAGS = re.compile(r"(solution|check|mutant|style|fake|question)\b.*|\[grader\]")
_REST_IN_TAGS = re.compile(r"public|hidden|\w+=.*")


class SourceCell(Value, frozen=True):
    """A cell as it stands in its file.

    Attributes:
        marker: what marks it.
        source: its text; of prose without the `#` of a comment.
        file: the file, or the cell of a notebook, that `first` counts the lines of.
        line: of the marker; of the first line where there is none. In a notebook always 1.
        first: the number of the first line of `source`.
    """

    marker: Marker
    source: str
    file: str
    line: int
    first: int

    @property
    def where(self) -> str:
        """`file:line` of the marker, as an editor opens it."""
        return f"{self.file}:{self.line}"


def read_source(path: Path) -> tuple[SourceCell, ...]:
    """Read a lesson's cells.

    Raises:
        ReleaseError: it can't be read, or a marker is not written as it should be.
    """
    text = read_text(path)
    found = _of_notebook(text, path) if path.suffix == NOTEBOOK else _of_script(text, path)
    return tuple(found)


def read_text(path: Path) -> str:
    """Read a lesson's text, its lines with the ends that Python has.

    Raises:
        ReleaseError: it can't be read, or is not UTF-8.
    """
    content = b""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ReleaseError(f"can't read the lesson: {told(error)}", where=str(path)) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ReleaseError(
            "the lesson is not UTF-8", where=f"{path}:{line}", hint="save it as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _of_script(text: str, path: Path) -> Iterator[SourceCell]:
    marks = [
        (start, end, mark["rest"])
        for start, end in comments_of_lines(text)
        if (mark := _MARK.fullmatch(text, start, end))
    ]
    ends = [start for start, _, _ in marks[1:]] + [len(text)]
    head = text[: marks[0][0]] if marks else text
    if re.search(r"\S", _without_jupytext_header(head)):
        yield _cell(Marker(), head, str(path), line=1, first=1)
    for (start, end, rest), until in zip(marks, ends, strict=True):
        line = text.count("\n", 0, start) + 1
        marker = read_marker(rest, f"{path}:{line}")
        yield _cell(marker, text[end + 1 : until], str(path), line=line, first=line + 1)


def _without_jupytext_header(head: str) -> str:
    """A text without the notebook metadata that Jupytext writes at the top of a file."""
    return re.sub(r"\A(?:#!.*\n)?\s*# ---\n(?:#.*\n)*?# ---\n", "", head)


def _cell(marker: Marker, text: str, file: str, *, line: int, first: int) -> SourceCell:
    """A cell of a text, without the blank lines around it."""
    kept = text.lstrip("\n")
    first += len(text) - len(kept)
    source = kept.rstrip("\n")
    if marker.kind in ("markdown", "raw", "grader"):
        source = _uncommented(source)
    else:
        source = _COMMENTED_MAGIC.sub("", source)
    return SourceCell(marker=marker, source=source, file=file, line=line, first=first)


def _uncommented(source: str) -> str:
    quoted = re.fullmatch(r"\s*r?(\"\"\"|''')\n?(.*?)\n?\1\s*", source, re.S)
    if quoted:
        return quoted[2]
    return "\n".join(re.sub(r"^# ?", "", line) for line in source.split("\n"))


# ---------------------------------------------------------------- notebooks


def _of_notebook(text: str, path: Path) -> Iterator[SourceCell]:
    try:
        cells = json.loads(text)["cells"]
        read = [(cell["cell_type"], _joined(cell["source"]), cell["metadata"]) for cell in cells]
    except (ValueError, KeyError, TypeError):
        raise ReleaseError(
            "this is no notebook", where=str(path), hint="lessons are .py or .ipynb, version 4"
        ) from None
    for number, (kind, source, metadata) in enumerate(read, 1):
        file = f"{path}, cell {number}"
        if not source.strip() and not metadata.get("tags"):
            continue
        mark = _MARK.match(source)
        first = 1
        if mark is not None and source.startswith("#"):
            marker = read_marker(mark["rest"], f"{file}:1")
            source, first = source[mark.end() + 1 :], 2
            if kind != "code":
                marker = Marker(kind=kind, words=marker.words, values=marker.values)
        else:
            marker = _from_tags(kind, metadata, f"{file}:1")
        yield _cell_of_notebook(marker, source, file, first)


def _cell_of_notebook(marker: Marker, source: str, file: str, first: int) -> SourceCell:
    if marker.kind == "grader":
        source = _uncommented(source)
    kept = source.lstrip("\n")
    first += len(source) - len(kept)
    return SourceCell(marker=marker, source=kept.rstrip("\n"), file=file, line=1, first=first)


def _joined(source: str | list[str]) -> str:
    return (source if isinstance(source, str) else "".join(source)).replace("\r\n", "\n")


def _from_tags(kind: str, metadata: Mapping[str, Any], where: str) -> Marker:
    """The marker that a cell's tags make; the tags that are no part of one stay tags."""
    tags = [tag for tag in metadata.get("tags", ()) if isinstance(tag, str)]
    kinds = [tag for tag in tags if _KIND_IN_TAGS.fullmatch(tag)]
    rest = [tag for tag in tags if kinds and tag not in kinds and _REST_IN_TAGS.fullmatch(tag)]
    marker = read_marker(" ".join([*kinds, *rest]), where)
    others = [tag for tag in tags if tag not in kinds and tag not in rest]
    values = marker.values | ({"tags": others} if others else {})
    kind = marker.kind if marker.kind != "code" else kind
    return Marker(kind=kind, words=marker.words, values=values)
