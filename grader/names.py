"""Names that strangers chose, made safe: to show, to compare, and to use in paths.

A *clean* name is a person's as it is shown and keyed. A *component* is what a file or folder is
called after that person: safe on every file system, and never two alike.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from grader.text import INVISIBLE

MAX_NAME_CHARS = 80
MAX_NAME_BYTES = 200
MAX_COMPONENT_CHARS = 50
"""At most 4 bytes each, and a hash after them, stay far from the 255 bytes of file systems."""

_UNSAFE_IN_NAMES = INVISIBLE | {"Co"}  # what private characters mean, nobody knows
_UNSAFE_IN_PATHS = re.compile(r"[^\w.@+ -]")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.I)
"""What Windows takes for a device, with any ending."""


def clean_name(text: str, *, otherwise: str = "unnamed") -> str:
    """Return a name that is safe to show and to use as one component of a path, on any system.

    Spaces and all scripts stay. Gone are control, bidi and invisible characters; what no file
    system takes becomes `_`; at most 80 characters and 200 bytes of UTF-8 remain.

    Args:
        text: the name as it was found.
        otherwise: what to return when nothing remains.
    """
    text = unicodedata.normalize("NFC", text[: 4 * MAX_NAME_CHARS])
    text = "".join(
        " " if c.isspace() else "_" if c in '/\\<>:"|?*' else c
        for c in text
        if c in "\t\n\r" or unicodedata.category(c) not in _UNSAFE_IN_NAMES
    )
    text = " ".join(text.split())[:MAX_NAME_CHARS]
    text = text.encode("utf-8")[:MAX_NAME_BYTES].decode("utf-8", errors="ignore")
    text = unicodedata.normalize("NFC", text).strip(" .")
    return f"_{text}" if is_device(text) else text or otherwise


def identity(name: str) -> str:
    """Return what two spellings of one name have in common: NFKC and case folding."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def is_device(name: str) -> bool:
    """Whether Windows would take a file of this name for a device."""
    return _DEVICES.fullmatch(name) is not None


def component(text: str) -> str:
    """Return a text as one path component: no separator, no dots at an end, no reserved name."""
    # cut first: to normalise long runs of accents takes the square of their length
    name = unicodedata.normalize("NFC", text[: 8 * MAX_COMPONENT_CHARS])
    name = _UNSAFE_IN_PATHS.sub("_", name)[:MAX_COMPONENT_CHARS]
    name = name.strip(". ")
    return f"_{name}" if not name or name.startswith("-") or is_device(name) else name


def components(texts: Iterable[str]) -> dict[str, str]:
    """Return a path component for each text, no two of them equal on any file system.

    A text that had to be changed, or that differs from another only in case or Unicode form, gets
    a part of its own SHA-256 at the end.
    """
    names = sorted(set(texts))
    plain = {text: component(text) for text in names}
    taken = Counter(identity(name) for name in plain.values())
    for digits in (8, 16, 64):
        result = {
            text: name
            if name == text and taken[identity(name)] == 1
            else f"{name}-{_hash(text)[:digits]}"
            for text, name in plain.items()
        }
        if len({identity(name) for name in result.values()}) == len(result):
            break
    return result


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def top_folder(course: str) -> str:
    """What the folder in `student.zip` is called, of the course with this id."""
    return re.sub(r"[^\w.-]+", "-", course).strip("-.") or "course"
