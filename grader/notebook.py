"""From a file's bytes to its code cells. Nothing of it is compiled or run here.

Notebooks are read as the JSON they are, for every format from 3 to 4.5; scripts are split where
Jupytext, Spyder, VS Code (`# %%`) and nbconvert (`# In[3]:`) mark their cells.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

import msgspec

from grader.errors import IntakeError
from grader.files import MAX_FILE_BYTES, too_large
from grader.model import Cell, Value
from grader.script import decode_script, split_script

MAX_CELLS = 2_000
MAX_SOURCE_CHARS = 2 << 20

_HINT = "open it in Jupyter, save it as .ipynb and hand it in again"
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONFLICT = re.compile(r"^<{7} .*?^={7}$.*?^>{7} ", re.M | re.S)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_KERNELS = re.compile(
    r"(ir|julia.*|xcpp.*|ijavascript|tslab|deno|bash|octave|scala.*|sos|.*sage.*)"
)


class Reading(Value, frozen=True):
    """A file's code cells, and what was left out of them in plain words."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


def read_cells(content: bytes, name: str) -> tuple[Cell, ...]:
    """Return the code cells of a notebook or script, numbered from 1 as a reader would.

    Args:
        content: the file's bytes.
        name: the file's name; `.py` makes it a script, everything else must be a notebook.

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
        if len(content) > MAX_FILE_BYTES:
            raise too_large(len(content))
        if name.lower().endswith(".py"):
            text = decode_script(content)
            _require_length(len(text))
            return _number(list(split_script(text)))
        return _notebook(_load(content))
    except IntakeError as error:
        raise IntakeError(error.message, where=error.where or name, hint=error.hint) from None


class _Head(msgspec.Struct):
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


def metadata_assignment(content: bytes) -> str | None:
    """Return the assignment that a notebook's own metadata names, if any.

    Our notebooks carry `{"grader": {"assignment": "embeddings"}}`. Bytes that are no notebook
    have none.
    """
    if len(content) > MAX_FILE_BYTES:
        return None
    try:
        metadata = msgspec.json.decode(msgspec.json.decode(content, type=_Head).metadata)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        # Jupyter writes NaN, Windows a byte order mark: the patient reader takes both.
        try:
            notebook = _load(content)
        except IntakeError:
            return None
        metadata = notebook.get("metadata")
    grader = metadata.get("grader") if isinstance(metadata, dict) else None
    name = grader.get("assignment") if isinstance(grader, dict) else None
    return name if isinstance(name, str) and name.strip() else None


# ---------------------------------------------------------------- bytes -> JSON


def _load(content: bytes) -> dict[str, Any]:
    text = _decode(content)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=lambda _: None,
            parse_int=lambda digits: int(digits) if len(digits) < 20 else 0,
            parse_float=lambda _: 0.0,
        )
    except RecursionError:
        raise IntakeError("it is nested too deeply to be a notebook", hint=_HINT) from None
    except json.JSONDecodeError as error:
        raise _not_json(text, error) from None
    if not isinstance(value, dict):
        raise IntakeError("it is JSON, but not a notebook", hint=_HINT)
    return value


def _decode(content: bytes) -> str:
    if not content.strip():
        raise IntakeError("the file is empty", hint="save the notebook and hand it in again")
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and content[1:2] == b"\0":
        encoding = "utf-16-le"
    elif encoding == "utf-8" and content[:1] == b"\0":
        encoding = "utf-16-be"
    if content.startswith(b"version https://git-lfs"):
        raise IntakeError(
            "it is a Git LFS pointer, not the notebook itself",
            hint="run `git lfs pull`, then hand in the file that you get",
        )
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        kind = "a zip archive" if content.startswith(b"PK\3\4") else "not text"
        raise IntakeError(f"it is {kind}, so not a notebook", hint=_HINT) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise IntakeError("it is damaged: a key occurs twice in one object", hint=_HINT)
    return found


def _not_json(text: str, error: json.JSONDecodeError) -> IntakeError:
    if _CONFLICT.search(text):
        return IntakeError(
            "it contains the markers of an unresolved merge conflict (<<<<<<<)",
            hint="resolve the conflict in Git and hand it in again",
        )
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "<head", "<body")):
        return IntakeError(
            "it is a web page, not a notebook", hint="download the .ipynb file itself"
        )
    if text.startswith("PK\3\4"):
        return IntakeError("it is a zip archive, not a notebook", hint=_HINT)
    return IntakeError(
        f"it is not a notebook: no valid JSON at line {error.lineno}, column {error.colno}",
        hint=_HINT,
    )


# ---------------------------------------------------------------- JSON -> cells


def _notebook(notebook: dict[str, Any]) -> Reading:
    cells = _cell_list(notebook)
    if len(cells) > MAX_CELLS:
        raise IntakeError(f"it has {len(cells)} cells, the limit is {MAX_CELLS}")
    _require_python(notebook.get("metadata"))
    sources: list[str | None] = []
    notes = []
    for position, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
            notes.append(f"item {position} of the notebook is not a cell and was left out")
        elif cell["cell_type"] == "code":
            source = _source(cell)
            sources.append(source)
            if source is None:
                notes.append(f"code cell {len(sources)} has no readable source and was left out")
    if notes and not any(source is not None for source in sources):
        raise IntakeError("none of its cells can be read", hint=_HINT)
    return _number(sources, tuple(notes))


def _cell_list(notebook: dict[str, Any]) -> list[Any]:
    cells = notebook.get("cells")
    if cells is None and isinstance(notebook.get("worksheets"), list):  # format 3 and older
        cells = []
        for sheet in notebook["worksheets"]:
            if not isinstance(sheet, dict) or not isinstance(sheet.get("cells"), list):
                raise IntakeError("it is not a notebook: a worksheet has no cells", hint=_HINT)
            cells += sheet["cells"]
    if not isinstance(cells, list):
        raise IntakeError("it is JSON, but not a notebook: it has no list of cells", hint=_HINT)
    return cells


def _require_python(metadata: object) -> None:
    """Refuse other languages. A notebook that names none is taken for Python."""

    def text(table: str, key: str) -> str:
        values = metadata.get(table) if isinstance(metadata, dict) else None
        value = values.get(key) if isinstance(values, dict) else None
        return value.strip().lower() if isinstance(value, str) else ""

    language = text("language_info", "name") or text("kernelspec", "language")
    if not language and _OTHER_KERNELS.fullmatch(text("kernelspec", "name")):
        language = text("kernelspec", "name")
    if language and not re.fullmatch(r"i?python[\d.]*", language):
        raise IntakeError(
            f"it is written for another language: {language[:40]!r}",
            hint="choose a Python kernel in Jupyter (Kernel > Change Kernel), save, hand in again",
        )


def _source(cell: dict[str, Any]) -> str | None:
    source = cell.get("source", cell.get("input"))  # `input` before format 4
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source if isinstance(source, str) else None


def _number(sources: list[str | None] | list[str], notes: tuple[str, ...] = ()) -> Reading:
    """Number the sources from 1. One that can't be read (None) keeps its number."""
    _require_length(sum(len(source) for source in sources if source is not None))
    if len(sources) > MAX_CELLS:
        raise IntakeError(f"it has {len(sources)} cells, the limit is {MAX_CELLS}")
    cells = tuple(
        Cell(number=number, source=_plain(source))
        for number, source in enumerate(sources, 1)
        if source is not None
    )
    return Reading(cells=cells, notes=notes)


def _require_length(length: int) -> None:
    if length > MAX_SOURCE_CHARS:
        raise IntakeError(
            f"its code is too long: {length} characters, the limit is {MAX_SOURCE_CHARS}"
        )


def _plain(source: str) -> str:
    """Unix line ends, and nothing that UTF-8 can't write."""
    return _SURROGATE.sub("\ufffd", source.replace("\r\n", "\n").replace("\r", "\n"))
