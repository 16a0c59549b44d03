"""From a `Submission` to its bytes."""

from __future__ import annotations

import hashlib
from typing import Protocol

from grader.errors import IntakeError
from grader.intake.archive import Archive
from grader.intake.files import limit_of, read_regular
from grader.model import Submission
from grader.text import shown_name


class Source(Protocol):
    """Where the bytes of files and of members of archives come from."""

    def read(
        self, path: str, member: int | None = None, inner: int | None = None, *, name: str = ""
    ) -> bytes:
        """See `Reader.read`."""


class AtHand:
    """The bytes of one submission that somebody else has read.

    Args:
        content: its bytes.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(
        self, path: str, member: int | None = None, inner: int | None = None, *, name: str = ""
    ) -> bytes:
        """Return them, whatever is asked for: `read_submission` compares their digest."""
        del path, member, inner, name
        return self._content


class Reader:
    """Reads files and members of archives, and keeps the archives that it read last open."""

    def __init__(self) -> None:
        self._path = ""
        self._archive: Archive | None = None
        self._member = -1
        self._inner: Archive | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def _close(self) -> None:
        for archive in (self._inner, self._archive):
            if archive is not None:
                archive.close()
        self._inner = self._archive = None

    def read(
        self, path: str, member: int | None = None, inner: int | None = None, *, name: str = ""
    ) -> bytes:
        """Return a file's bytes, or those of a member of an archive, or of one inside of it.

        Args:
            path: the file.
            member: which of the archive's members.
            inner: which member of that, where it is an archive itself.
            name: what the file is called, which decides how large it may be.

        Raises:
            IntakeError: it can't be read, or is too large.
        """
        limit = limit_of(name or path)
        if member is None:
            return read_regular(path, limit)
        archive = self._opened(path)
        if inner is None:
            return archive.read(member, limit)
        if self._inner is None or self._member != member:
            opened = archive.inner(member, guess=False)
            if self._inner is not None:
                self._inner.close()
            self._inner, self._member = opened, member
        return self._inner.read(inner, limit)

    def _opened(self, path: str) -> Archive:
        if self._archive is None or self._path != path:
            # what is too large was refused when it was listed
            archive = Archive(path, of_class=True, guess=False)
            self._close()
            self._path, self._archive = path, archive
        return self._archive


def read_submission(submission: Submission, reader: Source | None = None) -> bytes:
    """Return a submission's bytes, the same that were discovered.

    Args:
        submission: what to read.
        reader: saves opening a large archive anew for each of its members.

    Raises:
        IntakeError: the file can't be read any more, or has changed since.
    """
    if reader is None:
        with Reader() as disk:
            return read_submission(submission, disk)
    where = shown_name(submission.path)
    try:
        content = reader.read(
            submission.path, submission.member, submission.inner, name=submission.name
        )
    except IntakeError as error:
        raise IntakeError(error.message, where=where, hint=error.hint) from None
    if digest(content) != submission.digest:
        raise IntakeError(
            "the file has changed since it was found",
            where=where,
            hint="when nobody is writing to it, the next grading takes it",
        )
    return content


def digest(content: bytes) -> str:
    """Return the SHA-256 of these bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
