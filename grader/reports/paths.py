"""Names of people as names of folders: safe on every file system, and never two alike."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

MAX_LENGTH = (
    100  # characters; at most 4 bytes each stay far from the 255 bytes that file systems take
)
_UNSAFE = re.compile(r"[^\w.@+ -]")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?\Z")


def component(text: str) -> str:
    """Return a text as one path component: no separator, no dots at an end, no reserved name."""
    # cut first: to normalise long runs of accents takes the square of their length
    name = unicodedata.normalize("NFC", text[: 4 * MAX_LENGTH])
    name = _UNSAFE.sub("_", name)[: MAX_LENGTH // 2]
    name = name.strip(". ")
    return f"_{name}" if not name or name.startswith("-") or _RESERVED.match(name) else name


def components(texts: Iterable[str]) -> dict[str, str]:
    """Return a path component for each text, no two of them equal on any file system.

    A text that had to be changed, or that differs from another only in case or Unicode form, gets
    a part of its own SHA-256 at the end.
    """
    names = sorted(set(texts))
    plain = {text: component(text) for text in names}
    taken = Counter(_folded(name) for name in plain.values())
    for digits in (8, 16, 64):
        result = {
            text: name
            if name == text and taken[_folded(name)] == 1
            else f"{name}-{_hash(text)[:digits]}"
            for text, name in plain.items()
        }
        if len({_folded(name) for name in result.values()}) == len(result):
            break
    return result


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
