"""What a cell's marker says, read as names, numbers and texts."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from grader.errors import ReleaseError, SuiteError
from grader.lesson.cells import SourceCell

ALWAYS = ("tags",)
WORDS = ("solution", "check", "mutant", "fake", "style")
"""What a cell may be besides prose, a plain cell, and the place of a question."""


def require_keys(
    cell: SourceCell, keys: Sequence[str], *, words: int, named: bool = False
) -> tuple[str, ...]:
    """Demand that a marker has no other values than these, and so many words.

    Args:
        cell: whose marker.
        keys: the values that it may have, and `tags`.
        words: how many there are, the first one included.
        named: whether the second word is a name that nobody else has to know.

    Raises:
        SuiteError: it has others.
    """
    known = (*keys, *ALWAYS)
    if unknown := [key for key in cell.marker.values if key not in known]:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"it may have {', '.join(known)}"
        raise SuiteError(
            f"a `{_kind(cell)}` cell is marked with `{unknown[0]}`", where=cell.where, hint=hint
        )
    found = cell.marker.words
    if named and len(found) < words:
        raise SuiteError(
            f"this {_kind(cell)} has no name",
            where=cell.where,
            hint=f"# %% {_kind(cell)} NAME …",
        )
    if len(found) > words:
        raise SuiteError(
            f"a `{_kind(cell)}` cell is marked with `{found[words]}`", where=cell.where,
            hint="a text of several words stands in quotes",
        )  # fmt: skip
    if named and not found[1].replace("-", "_").isidentifier():
        raise SuiteError(f"`{found[1]}` is not a plain name", where=cell.where)
    return found


def require_known_word(cell: SourceCell) -> None:
    """Demand that the first word of a marker is one that means something.

    Raises:
        ReleaseError: it is none.
    """
    found = cell.marker.words[:1]
    if found and found[0] not in WORDS:
        near = difflib.get_close_matches(found[0], WORDS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"markers are {', '.join(WORDS)}"
        raise ReleaseError(f"a cell is marked with `{found[0]}`", where=cell.where, hint=hint)


def text_of(cell: SourceCell, key: str) -> str:
    """A text; empty where there is none.

    Raises:
        SuiteError: it is no text.
    """
    value = cell.marker.values.get(key, "")
    if not isinstance(value, str):
        raise SuiteError(f'{key}={value!r} is not a text like "{key}"', where=cell.where)
    return value


def names_of(cell: SourceCell, key: str) -> tuple[str, ...]:
    """Names: a list, or words with commas between.

    Raises:
        SuiteError: they are no names.
    """
    value = cell.marker.values.get(key, ())
    found = tuple(value.split(",")) if isinstance(value, str) else tuple(value)
    if not all(isinstance(name, str) and name.isidentifier() for name in found):
        raise SuiteError(
            f"{key}={value!r} names nothing", where=cell.where, hint=f"write {key}=one,other"
        )
    return found


def number_of(cell: SourceCell, key: str, least: float | None = None) -> float | None:
    """A number above 0, or not below `least`; None where there is none.

    Raises:
        SuiteError: it is no such number.
    """
    value = cell.marker.values.get(key)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and (number > 0 if least is None else number >= least)):
        raise SuiteError(
            f"{key}={value} is no number of points", where=cell.where, hint=f"write {key}=2"
        )
    return number


def in_words(name: str) -> str:
    """`word_counts` as a title: `Word counts`."""
    text = name.strip("_").replace("_", " ").replace("-", " ")
    return text[:1].upper() + text[1:]


def _kind(cell: SourceCell) -> str:
    return cell.marker.words[0] if cell.marker.words else cell.marker.kind
