"""From a file's bytes to its code cells. Nothing of it is compiled or run here.

Notebooks are read as the JSON they are, for every format from 3 to 4.5; scripts are split where
Jupytext, Spyder, VS Code (`# %%`) and nbconvert (`# In[3]:`) mark their cells; of Markdown the
blocks are taken that Quarto or Jupytext would run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from grader.errors import IntakeError
from grader.intake.files import MAX_FILE_BYTES, limit_of, mebibytes, too_large
from grader.intake.json_text import HINT, items, load, members, text_of
from grader.intake.marimo_cells import is_marimo, read_marimo
from grader.intake.markdown_cells import ENDINGS as MARKDOWN
from grader.intake.markdown_cells import markdown_assignment, read_markdown
from grader.intake.script import decode_script, split_script
from grader.model import Cell, Value
from grader.text import shown_name

MAX_CELLS = 2_000
MAX_SOURCE_CHARS = 2 << 20
MAX_HEAD_BYTES = 16 << 10
"""Of a Markdown file, within which its metadata stands."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_OTHER_KERNELS = frozenset({"ir", "ijavascript", "tslab", "deno", "bash", "octave", "sos"})
_OTHER_FAMILIES = ("julia", "xcpp", "scala")
_VERSION = re.compile(r"3\.[0-9]{1,2}(?![0-9])")
_PYTHON = re.compile(r"i?python[\d.]*")


class Reading(Value, frozen=True):
    """A file's code cells, and what was left out of them in plain words.

    `python` is the version that a notebook says it was saved with, such as `3.12`.
    """

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    python: str = ""


def read_cells(content: bytes, name: str) -> tuple[Cell, ...]:
    """Return the code cells of a notebook or script, numbered from 1 as a reader would.

    Args:
        content: the file's bytes.
        name: the file's name; `.py` makes it a script, `.qmd` and `.md` make it Markdown, and
            everything else must be a notebook.

    Raises:
        IntakeError: it is neither; the message says what it seems to be.
    """
    return read(content, name).cells


def read(content: bytes, name: str) -> Reading:
    """Return `read_cells` together with notes on cells that could not be used.

    Raises:
        IntakeError: as `read_cells`.
    """
    try:
        if len(content) > limit_of(name):
            raise too_large(len(content), limit_of(name))
        require_readable_size(content, name)
        if name.lower().endswith((".py", *MARKDOWN)):
            return _text(content, name.lower())
        return _notebook(load(content))
    except IntakeError as error:
        raise IntakeError(error.message, where=error.where or name, hint=error.hint) from None


def _text(content: bytes, name: str) -> Reading:
    text = decode_script(content)
    _require_length(len(text))
    if name.endswith(MARKDOWN):
        return _number(read_markdown(text, quarto=name.endswith(".qmd")))
    if is_marimo(text):
        return _number(*read_marimo(text))
    return _number(list(split_script(text)))


def metadata_assignment(content: bytes, name: str = ".ipynb") -> str | None:
    """Return the assignment that a notebook's own metadata names, if any.

    Our notebooks carry `{"grader": {"assignment": "embeddings"}}`. Bytes that are no notebook
    have none, nor has a script.
    """
    name = name.lower()
    if name.endswith(".py") or len(content) > limit_of(name):
        return None
    if name.endswith(MARKDOWN):
        head = content[:MAX_HEAD_BYTES].decode("utf-8-sig", errors="replace")
        return markdown_assignment(head.replace("\r\n", "\n"))
    try:
        metadata = members(load(content).get("metadata"))
        said = text_of(members(metadata.get("grader")).get("assignment"))
    except IntakeError:
        return None
    return said if said is not None and said.strip() else None


def require_readable_size(content: bytes, name: str) -> None:
    """Refuse a file of which too much would have to be read. A notebook's outputs are not.

    Nor are pictures attached to its text, and metadata, which is where widgets keep theirs.

    Raises:
        IntakeError: it is too large without these, or no notebook. The hint names the largest part.
    """
    size = len(content)
    if size <= MAX_FILE_BYTES:
        return
    if not name.lower().endswith(".ipynb"):
        raise too_large(size)
    notebook = load(content)
    size -= _bytes(notebook.get("metadata"))
    parts = [
        _Part(_bytes(notebook[key]), f"`{shown_name(key, _SHOWN_CHARS)}`")
        for key in notebook.keys() - _LOOKED_INTO
    ]
    numbers: Counter[str] = Counter()
    for raw in limited_cells(notebook):
        cell = members(raw)
        kind = "code" if text_of(cell.get("cell_type")) == "code" else "text"
        numbers[kind] += 1
        unread = sum(_bytes(cell.get(key)) for key in _UNREAD)
        size -= unread
        parts.append(_Part(_bytes(raw) - unread, f"{kind} cell {numbers[kind]}", cell))
    if size > MAX_FILE_BYTES:
        largest = max(parts, key=lambda part: part.size)
        raise too_large(size, hint=f"{largest}: make it smaller, and hand it in again")


_LOOKED_INTO = {"metadata", "cells", "worksheets"}
_UNREAD = ("outputs", "attachments", "metadata")
_SHOWN_CHARS = 40


class _Part(NamedTuple):
    """What is read of a notebook: a cell, or what nobody expects there."""

    size: int
    name: str
    cell: Mapping[str, msgspec.Raw] = {}

    def __str__(self) -> str:
        begins = (source_of(self.cell) or "")[:_SHOWN_CHARS]
        shown = f"; it begins with '{shown_name(begins)}'" if begins.strip() else ""
        return f"its largest part is {self.name} ({mebibytes(self.size)} MiB{shown})"


def _bytes(value: msgspec.Raw | None) -> int:
    return 0 if value is None else len(bytes(value))


def limited_cells(notebook: dict[str, msgspec.Raw]) -> list[msgspec.Raw]:
    """Return a notebook's cells.

    Raises:
        IntakeError: it has none, or too many.
    """
    cells = cell_list(notebook)
    if len(cells) > MAX_CELLS:
        raise IntakeError(f"it has {len(cells)} cells, the limit is {MAX_CELLS}")
    return cells


# ---------------------------------------------------------------- JSON -> cells


def _notebook(notebook: dict[str, msgspec.Raw]) -> Reading:
    cells = limited_cells(notebook)
    _require_python(members(notebook.get("metadata")))
    sources: list[str | None] = []
    notes = []
    for position, raw in enumerate(cells, 1):
        cell = members(raw)
        kind = text_of(cell.get("cell_type"))
        if kind is None:
            notes.append(f"item {position} of the notebook is not a cell and was left out")
        elif kind == "code":
            source = source_of(cell)
            sources.append(source)
            if source is None:
                notes.append(f"code cell {len(sources)} has no readable source and was left out")
    if notes and not any(source is not None for source in sources):
        raise IntakeError("none of its cells can be read", hint=HINT)
    python = _python_version(members(notebook.get("metadata")))
    return msgspec.structs.replace(_number(sources, tuple(notes)), python=python)


def cell_list(notebook: dict[str, msgspec.Raw]) -> list[msgspec.Raw]:
    """Return a notebook's cells, each still unread, for every format from 3 to 4.5.

    Raises:
        IntakeError: it has no list of cells.
    """
    value = notebook.get("cells")
    cells = items(value)
    sheets = items(notebook.get("worksheets"))  # format 3 and older
    if sheets is not None and (value is None or bytes(value) == b"null"):
        cells = []
        for sheet in sheets:
            found = items(members(sheet).get("cells"))
            if found is None:
                raise IntakeError("it is not a notebook: a worksheet has no cells", hint=HINT)
            cells += found
    if cells is None:
        raise IntakeError("it is JSON, but not a notebook: it has no list of cells", hint=HINT)
    return cells


def _require_python(metadata: dict[str, msgspec.Raw]) -> None:
    """Refuse other languages. A notebook that names none is taken for Python."""

    def text(table: str, key: str) -> str:
        return (text_of(members(metadata.get(table)).get(key)) or "").strip()[:80].lower()

    language = text("language_info", "name") or text("kernelspec", "language")
    kernel = text("kernelspec", "name")
    if kernel in _OTHER_KERNELS or kernel.startswith(_OTHER_FAMILIES) or "sage" in kernel:
        language = language or kernel
    if language and not _PYTHON.fullmatch(language):
        raise IntakeError(
            f"it is written for another language: {language[:40]!r}",
            hint="choose a Python kernel in Jupyter (Kernel > Change Kernel), save, hand in again",
        )


def _python_version(metadata: dict[str, msgspec.Raw]) -> str:
    """Return the minor version of Python that a notebook names, if it names one."""
    said = text_of(members(metadata.get("language_info")).get("version")) or ""
    found = _VERSION.match(said)
    return found[0] if found else ""


def source_of(cell: Mapping[str, msgspec.Raw]) -> str | None:
    """Return a cell's text; None if it can't be read."""
    value = cell.get("source", cell.get("input"))  # `input` before format 4
    lines = items(value)
    if lines is None:
        return text_of(value)
    found = [text for line in lines if (text := text_of(line)) is not None]
    return "".join(found) if len(found) == len(lines) else None


def _number(sources: list[str | None] | list[str], notes: tuple[str, ...] = ()) -> Reading:
    """Number the sources from 1. One that can't be read (None) keeps its number."""
    _require_length(sum(len(source) for source in sources if source is not None))
    if len(sources) > MAX_CELLS:
        raise IntakeError(f"it has {len(sources)} cells, the limit is {MAX_CELLS}")
    cells = tuple(
        Cell(number=number, source=plain(source))
        for number, source in enumerate(sources, 1)
        if source is not None
    )
    return Reading(cells=cells, notes=notes)


def _require_length(length: int) -> None:
    if length > MAX_SOURCE_CHARS:
        raise IntakeError(
            f"its code is too long: {length} characters, the limit is {MAX_SOURCE_CHARS}"
        )


def plain(source: str) -> str:
    """Unix line ends, and nothing that UTF-8 can't write."""
    return _SURROGATE.sub("\ufffd", source.replace("\r\n", "\n").replace("\r", "\n"))
