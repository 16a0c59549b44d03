"""What stands behind `# %%` at the head of a cell.

    # %%                                          a plain cell
    # %% [markdown] tags=["instructor"]           its kind, and values
    # %% check hidden question=mean points=2      words, and values
    # %% solution="Block" given=["__init__"]

A value is a string or list as Python writes it, or one word; several words have commas between.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import msgspec

from grader.errors import ReleaseError
from grader.model import Value

_QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_PART = re.compile(
    rf"""\s*(?:(?P<key>[\w-]+)=(?P<value>{_QUOTED}|\[[^\]]*\]|[^\s"'\[\]]+)
        |\[(?P<kind>\w+)\] | (?P<json>\{{.*\}})\s*$ | (?P<word>[^\s="'\[\]]+))(?=\s|$)""",
    re.VERBOSE,
)


class Marker(Value, frozen=True):
    """A cell's marker. `kind` is what stands in brackets: `code` unless told."""

    kind: str = "code"
    words: tuple[str, ...] = ()
    values: dict[str, Any] = msgspec.field(default_factory=dict)


def read_marker(text: str, where: str) -> Marker:
    """Read what stands behind `# %%`.

    Args:
        text: the rest of the line.
        where: `file:line`, for errors.

    Raises:
        ReleaseError: it is not written in this way.
    """
    kind, words, values = "code", [], {}
    place = 0
    text = text.strip()
    while place < len(text):
        part = _PART.match(text, place)
        if part is None:
            raise ReleaseError(
                f"a marker can't be read from `{text[place:].strip()[:60]}` on",
                where=where,
                hint='markers are words and key="value", key=["a", "b"]',
            )
        place = part.end()
        if part["kind"]:
            kind = {"md": "markdown"}.get(part["kind"], part["kind"])
        elif part["key"]:
            values[part["key"]] = _value(part["value"], where)
        elif part["json"]:
            values |= _json(part["json"], where)
        else:
            words.append(part["word"])
    return Marker(kind=kind, words=tuple(words), values=values)


def _value(text: str, where: str) -> Any:
    if text[0] not in "\"'[":
        return text
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        raise ReleaseError(
            f"`{text}` is no value", where=where, hint='write "text", or ["a", "b"]'
        ) from None


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        raise ReleaseError(f"`{text}` is not JSON", where=where) from None
    return found
