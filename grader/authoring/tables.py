"""What authors write down about an assignment for the strict gate: tables in a folder of its own.

lessons/01_embeddings.py
lessons/01_embeddings/promises.toml     what its text promises, and what holds it to that
lessons/01_embeddings/equivalents.toml  generated mutants that nobody could notice
lessons/01_embeddings/partial.toml      what half-finished work must lose
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from grader.authoring.lessons import Lesson
from grader.errors import SuiteError
from grader.model import Value

T = TypeVar("T")

Entry = Mapping[str, "str | list[str]"]


class Finding(Value, frozen=True):
    """Something that the strict gate does not accept: what, where, and what to do next."""

    what: str
    where: str
    hint: str


def table_path(lesson: Lesson, name: str) -> Path:
    """Where the table of a name belongs to a lesson."""
    return lesson.path.with_suffix("") / f"{name}.toml"


def read_table(path: Path, kind: type[T]) -> T | None:
    """Read a table; None if there is none.

    Raises:
        SuiteError: it can't be read as such a table.
    """
    if not path.is_file():
        return None
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, ValueError, OSError) as error:
        raise SuiteError(
            f"not such a table: {error}",
            where=str(path),
            hint="docs/write-a-course.md shows one of each kind",
        ) from None


def add_entries(path: Path, key: str, entries: Iterable[Entry], heading: str = "") -> int:
    """Append entries to a table, which is made if need be; what is there stays as it is.

    Args:
        path: the table.
        key: each becomes a `[[key]]`.
        entries: values by name, in order.
        heading: the comment that a new table begins with.

    Returns:
        How many.
    """
    added = [_written(key, entry) for entry in entries]
    if not added:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        before = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n"
    else:
        before = "".join(f"# {line}\n" for line in heading.splitlines()) + "\n" * bool(heading)
    path.write_text(before + "\n".join(added), encoding="utf-8")
    return len(added)


def _written(key: str, entry: Entry) -> str:
    # a JSON string or list of strings is one of TOML as well
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items()]
    return "\n".join([f"[[{key}]]", *lines, ""])
