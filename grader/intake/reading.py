"""From a `Submission` to its bytes."""

from __future__ import annotations

import hashlib

from grader.errors import IntakeError
from grader.intake.archive import Archive
from grader.intake.files import read_regular
from grader.model import Submission
from grader.text import shown_name


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
    where = shown_name(submission.path)
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
