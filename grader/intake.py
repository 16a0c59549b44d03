"""From a `Submission` to its bytes, and from a stranger's name to one that is safe to use."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from grader.archive import Archive
from grader.errors import IntakeError
from grader.files import read_regular
from grader.model import Submission

MAX_NAME_CHARS = 80
MAX_NAME_BYTES = 200

# Control, format (bidi overrides, zero width), surrogate and private characters, separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.I
)


class Reader:
    """Reads files and members of archives, and keeps the archive that it read last open."""

    def __init__(self) -> None:
        self._path = ""
        self._archive: Archive | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        if self._archive is not None:
            self._archive.close()

    def read(self, path: str, member: int | None = None) -> bytes:
        """Return a file's bytes, or those of a member of an archive.

        Raises:
            IntakeError: it can't be read, or is too large.
        """
        if member is None:
            return read_regular(path)
        if self._archive is None or self._path != path:
            archive = Archive(
                path, of_class=True
            )  # what is too large was refused when it was listed
            if self._archive is not None:
                self._archive.close()
            self._path, self._archive = path, archive
        return self._archive.read(member)


def read_submission(submission: Submission, reader: Reader | None = None) -> bytes:
    """Return a submission's bytes, the same that were discovered.

    Args:
        submission: what to read.
        reader: saves opening a large archive anew for each of its members.

    Raises:
        IntakeError: the file can't be read any more, or has changed since.
    """
    if reader is None:
        with Reader() as reader:
            return read_submission(submission, reader)
    where = printable(submission.path)
    try:
        content = reader.read(submission.path, submission.member)
    except IntakeError as error:
        raise IntakeError(error.message, where=where, hint=error.hint) from None
    if digest(content) != submission.digest:
        raise IntakeError(
            "the file has changed since it was found",
            where=where,
            hint="grade again when nobody is writing to it",
        )
    return content


def digest(content: bytes) -> str:
    """Return the SHA-256 of these bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


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
        if c in "\t\n\r" or unicodedata.category(c) not in _UNSAFE
    )
    text = " ".join(text.split())[:MAX_NAME_CHARS]
    text = text.encode("utf-8")[:MAX_NAME_BYTES].decode("utf-8", errors="ignore")
    text = unicodedata.normalize("NFC", text).strip(" .")
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    return text or otherwise


def printable(text: str, limit: int = 300) -> str:
    """Return text for one line of a message: what can't be shown is written as an escape."""
    shown = "".join(
        c if c == " " or unicodedata.category(c) not in _UNSAFE else _escape(c)
        for c in text[:limit]
    )
    return shown if len(text) <= limit else f"{shown}…"


def _escape(character: str) -> str:
    code = ord(character)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
