"""What feedback students have been given already, so that nobody gets it twice.

It lies beside the results. Whoever loses it gives everything back again: that hurts nobody.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.serialization import from_json, to_json
from grader.store.output import PRIVATE, write_atomically

NAME = ".given-back.json"

Given = dict[str, dict[str, str]]
"""By way and assignment, the digest of what each student was given last."""


def read_given(results: Path) -> Given:
    """Return what was given back; nothing where nobody knows."""
    try:
        return from_json((results / NAME).read_bytes(), Given)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def remember_given(results: Path, way: str, digests: dict[str, str], mode: int = PRIVATE) -> None:
    """Add what has been given back now.

    Raises:
        GraderError: it can't be written.
    """
    given = read_given(results)
    given[way] = {**given.get(way, {}), **digests}
    write_atomically(results / NAME, to_json(given), mode=mode)
