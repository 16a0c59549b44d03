"""What a page was made from stands in its head: it is left alone as long as that is the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

HEAD = 2048
"""Bytes of a page in which its fingerprint stands."""


def fingerprint(*values: object) -> str:
    """SHA-256 of all that decides a page. A `repr` holds everything, also what UTF-8 can't."""
    return hashlib.sha256(repr(values).encode("utf-8", "surrogatepass")).hexdigest()


def is_made_from(path: Path, made_from: str) -> bool:
    """Whether a page is there, and says that it was made from this."""
    try:
        with path.open("rb") as file:
            return f'content="{made_from}"'.encode() in file.read(HEAD)
    except OSError:
        return False
