"""The text of an imported lesson, with what a person has to look at.

What could not be carried over stands in the lesson as a comment that begins with `# LOOK:`.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.errors import ReleaseError
from grader.lesson.values import in_words
from grader.model import Value

LOOK = "# LOOK: "
INSTRUCTOR = ' tags=["instructor"]'
"""What keeps a cell from students."""


class SourceNotebook(Value, frozen=True):
    """A notebook of another grader. Each cell has its number, kind, text, metadata and outputs."""

    path: Path
    cells: tuple[NotebookCell, ...]


class NotebookCell(Value, frozen=True):
    """A cell of it."""

    number: int
    kind: str
    source: str
    metadata: dict[str, Any]
    printed: str


class Note(Value, frozen=True):
    """Something that a person has to look at. `line` is the lesson's."""

    line: int
    text: str


@dataclass
class Lesson:
    """A lesson that is being written: what its questions are worth, its cells, its answers.

    `manual` are questions that a person marks: their points, by name.
    """

    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    answers: set[str] = field(default_factory=set)
    manual: dict[str, float] = field(default_factory=dict)

    def add(self, marker: str, source: str, notes: Iterable[str] = ()) -> None:
        """Add a cell: what stands behind `# %%`, its text, and what to look at in it."""
        self.cells.append((marker, source.strip("\n"), tuple(notes)))

    def add_prose(self, source: str, notes: Iterable[str] = (), tags: str = "") -> None:
        """Add prose; `tags` are written as they are."""
        text = "\n".join(f"# {line}".rstrip() for line in source.strip("\n").split("\n"))
        self.add(f"[markdown]{tags}", text, notes)

    def add_written(self, source: str, name: str, points: float) -> None:
        """Add an answer in words, which a person marks."""
        while name in self.answers or name in self.manual:
            name = f"{name}_2"
        self.manual[name] = points
        self.add_prose(source, tags=f' answer="{name}"')

    def answer(self, source: str, otherwise: str) -> str:
        """The marker of an answer, which is called after what it defines, or `otherwise`."""
        found = re.search(r"^(?:(?:async )?def|class)\s+(\w+)|^(\w+)\s*=(?!=)", source, re.M)
        base = (found[1] or found[2]) if found else otherwise
        name, number = base, 1
        while name in self.answers:
            number += 1
            name = f"{base}_{number}"
        self.answers.add(name)
        return f"solution {name}"

    def text(self) -> tuple[str, tuple[Note, ...]]:
        """The lesson, and what to look at in which of its lines."""
        lines = ["# %% [grader]", *self._header(), ""]
        notes: list[Note] = []
        for marker, source, told in self.cells:
            notes += [Note(len(lines) + 1, note) for note in told]
            looks = [f"{LOOK}{note}" for note in told]
            if looks and not (INSTRUCTOR in marker or marker.startswith("check")):
                lines += [f"# %% [markdown]{INSTRUCTOR}", *looks, ""]  # students get what follows
                looks = []
            lines += [f"# %% {marker}".rstrip(), *looks, *source.split("\n"), ""]
        return "\n".join(lines), tuple(notes)

    def _header(self) -> list[str]:
        found: list[str] = []
        for name, table in self.questions.items():
            if table:
                found.append(f"# [questions.{name}]")
                found += [f"# {key} = {json.dumps(value)}" for key, value in table.items()]
        for name, points in self.manual.items():
            table = {"id": name, "title": in_words(name), "points": points}
            found.append("# [[manual]]")
            found += [f"# {key} = {json.dumps(value)}" for key, value in table.items()]
        return found


def plain_name(text: str, otherwise: str = "question") -> str:
    """A text as the name of a question or an assignment: small letters, digits and `_`."""
    name = re.sub(r"[^a-z0-9]+", "_", str(text).lower()).strip("_")
    if not name or not name[0].isalpha():
        name = f"{otherwise[0]}{name}" if name else otherwise
    return f"{name}_" if keyword.iskeyword(name) else name


def read_notebook(path: Path) -> SourceNotebook:
    """Read a notebook of format 4.

    Raises:
        ReleaseError: it is none.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        read = tuple(_cell(number, cell) for number, cell in enumerate(cells, 1))
    except OSError as error:
        raise ReleaseError(f"can't read it: {error.strerror}", where=str(path)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ReleaseError(
            "this is no notebook of format 4", where=str(path), hint="open and save it in Jupyter"
        ) from None
    return SourceNotebook(path=path, cells=read)


def _cell(number: int, cell: Mapping[str, Any]) -> NotebookCell:
    return NotebookCell(
        number=number,
        kind=str(cell["cell_type"]),
        source=_joined(cell["source"]),
        metadata=dict(cell.get("metadata", {})),
        printed="".join(map(_printed, cell.get("outputs", ()))).rstrip("\n"),
    )


def _printed(output: Mapping[str, Any]) -> str:
    return _joined(output.get("text") or output.get("data", {}).get("text/plain", ""))


def _joined(text: str | list[str]) -> str:
    return (text if isinstance(text, str) else "".join(text)).replace("\r\n", "\n")
