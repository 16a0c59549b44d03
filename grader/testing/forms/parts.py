"""What forms are made of, and how it is looked at when it arrives from a stranger."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

MAX_FRAME = 64 << 20
MAX_INT_BITS = 14_000  # 4,215 digits: what Python writes in decimal without being asked to
"""Bytes that cross at once."""

LIBRARIES = ("numpy", "pandas", "pyarrow")
"""What values are made of that are no plain data, where it is installed."""

MAX_COLUMNS = 2_000
"""Most columns of a table."""

MAX_TEXTS = 1_000_000
"""Most texts of all columns that cross at once."""


class Unsendable(Exception):
    """A value that can't cross, said in words for the author of the check or the student.

    Args:
        what: what it is and why it can't.
        instead: what to write.
    """

    def __init__(self, what: str, instead: str = "") -> None:
        super().__init__(f"{what}: {instead}" if instead else what)
        self.what = what
        self.instead = instead


class TooMuch(Unsendable):
    """It is a value that crosses, and more of it than may."""


class Malformed(Exception):
    """Parts that no value was ever taken apart into."""


class Texts(list[str]):
    """Many texts, which cross as one value: a column's."""

    __slots__ = ()


def loaded(name: str) -> Any:
    """A library if this process has imported it: no value of it can be here otherwise."""
    return sys.modules.get(name)


def needed(name: str) -> Any:
    """A library that a value which arrives is made of.

    Raises:
        Malformed: it is not installed here.
    """
    found = sys.modules.get(name)
    if found is None:
        if importlib.util.find_spec(name) is None:
            raise Malformed(f"a value of {name}, which is not installed here")
        found = importlib.import_module(name)
    return found


def demand(holds: bool) -> None:
    """Refuse parts of which this does not hold.

    Raises:
        Malformed: it does not.
    """
    if not holds:
        raise Malformed("malformed value")


def demand_types(parts: list[Any], *kinds: type | tuple[type, ...]) -> None:
    """Refuse parts that are not as many, of these exact types.

    Raises:
        Malformed: they are not.
    """
    demand(len(parts) == len(kinds))
    for part, kind in zip(parts, kinds, strict=True):
        demand(type(part) in (kind if type(kind) is tuple else (kind,)))
